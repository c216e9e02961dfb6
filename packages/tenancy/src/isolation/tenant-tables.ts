import { isUuid } from '@svc/core';
import { parseName, quoted, type QualifiedName } from './identifier.ts';
import type { TenantIdType } from './isolate-by-tenant.ts';

export interface TenantTable extends QualifiedName {
  /** The column that holds the tenant. */
  readonly column: string;
}

/** Which tables hold rows of tenants. One list for the scope, the linter, and whatever goes over all data of a tenant. */
export interface TenantTables {
  readonly type: TenantIdType;
  readonly tables: readonly TenantTable[];
}

export interface TenantTablesOptions {
  /** What the column is called where a table does not say. @default 'tenant_id' */
  column?: string;
  /** The type of the columns. @default 'uuid' */
  type?: TenantIdType;
}

/**
 * The list of the tables that hold rows of tenants: `'app.projects'`, or `{ table, column }` where one differs.
 *
 * @throws {TypeError} on a name that needs quotes, and on a table named twice.
 */
export function tenantTables(
  list: readonly (string | { readonly table: string; readonly column: string })[],
  { column = 'tenant_id', type = 'uuid' }: TenantTablesOptions = {},
): TenantTables {
  const tables = list.map((entry) => {
    const named = typeof entry === 'string' ? { table: entry, column } : entry;
    quoted(named.column);
    return { ...parseName(named.table), column: named.column };
  });
  const names = new Set(tables.map((table) => `${table.schema}.${table.name}`));
  if (names.size < tables.length) throw new TypeError('a tenant table is named twice');
  return { type, tables };
}

/** The tenant as its column has it. @throws {TypeError} when it is none: never a tenant by accident. */
export function parseTenantId(tenantId: string, type: TenantIdType): string {
  const valid =
    typeof tenantId === 'string' &&
    (type === 'uuid'
      ? isUuid(tenantId)
      : type === 'text'
        ? tenantId !== ''
        : /^\d{1,18}$/.test(tenantId));
  if (!valid) throw new TypeError(`a tenant is named by its id (${type}); this is none`);
  return type === 'uuid' ? tenantId.toLowerCase() : tenantId;
}
