import { parseName, quoted, quotedName } from './identifier.ts';

export interface IsolateOptions {
  /** @default 'tenant_id' */
  column?: string;
  /** The column's type. @default 'uuid' */
  type?: TenantIdType;
  /** Make an index on the column; needless where a key begins with it. @default false */
  index?: boolean;
  /** Let `asSystem` see the rows of all tenants. In return the policy alone no longer finds rows by an index: a statement has to name the tenant, as the scope does. @default false */
  system?: boolean;
}

export type TenantIdType = 'uuid' | 'text' | 'bigint' | 'integer';

export const tenantSetting = 'app.tenant_id';
export const tenancySetting = 'app.tenancy';

const types: ReadonlySet<string> = new Set(['uuid', 'text', 'bigint', 'integer']);

/**
 * Statements for a migration step that let a transaction see and write only rows of the tenant it runs for, the owner of
 * the table included (not a superuser, or one with BYPASSRLS). Without a tenant there are no rows.
 *
 * @throws {TypeError} on a name that needs quotes.
 */
export function isolateByTenant(
  table: string,
  { column = 'tenant_id', type = 'uuid', index = false, system = false }: IsolateOptions = {},
): { readonly up: readonly string[]; readonly down: readonly string[] } {
  if (!types.has(type)) throw new TypeError(`type is one of ${[...types].join(', ')}`);
  const parsed = parseName(table);
  const on = quotedName(parsed);
  const indexName = `${parsed.name}_by_${column}`.slice(0, 63);
  // A sub-select is read once per statement, not per row. After a transaction that set it, the setting is '', not null.
  const own = `${quoted(column)} = (select nullif(current_setting('${tenantSetting}', true), '')::${type})`;
  const any = `(select current_setting('${tenancySetting}', true) = 'system')`;
  return {
    up: [
      `alter table ${on} enable row level security`,
      `alter table ${on} force row level security`,
      `create policy tenant_isolation on ${on} for all to public using (${own}) with check (${own})`,
      ...(system
        ? [
            `create policy tenant_system on ${on} for all to public using (${any}) with check (${any})`,
          ]
        : []),
      ...(index ? [`create index ${quoted(indexName)} on ${on} (${quoted(column)})`] : []),
    ],
    down: [
      ...(index ? [`drop index ${quotedName({ schema: parsed.schema, name: indexName })}`] : []),
      ...(system ? [`drop policy tenant_system on ${on}`] : []),
      `drop policy tenant_isolation on ${on}`,
      `alter table ${on} no force row level security`,
      `alter table ${on} disable row level security`,
    ],
  };
}
