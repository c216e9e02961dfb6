import { isUuid } from '@svc/core';
import { parseName, quoted, type QualifiedName } from './identifier.ts';
import type { TenantIdType } from './isolate-by-tenant.ts';

export interface TenantTable extends QualifiedName {
  /** The column that holds the tenant. */
  readonly column: string;
  /** Columns that no export holds. */
  readonly omit: readonly string[];
  readonly exported: boolean;
}

/** A table whose rows outlive their tenant. */
export interface KeptTable extends QualifiedName {
  readonly column: string;
  readonly why: string;
}

/** Which tables hold rows of tenants. One list for the scope, the linter, and whatever goes over all data of a tenant. */
export interface TenantTables {
  readonly type: TenantIdType;
  /** The tables of this package are in the same database. */
  readonly directory: boolean;
  readonly tables: readonly TenantTable[];
  /** Those that have a tenant and no isolation: the scope does not know them, export and deletion do. */
  readonly unscoped: readonly TenantTable[];
  readonly kept: readonly KeptTable[];
}

export interface TenantTableEntry {
  readonly table: string;
  /** The column that holds the tenant. @default the one of the options */
  readonly column?: string;
  /** Columns that no export holds: secrets. An import gives them their default. @default none */
  readonly omit?: readonly string[];
  /** Whether an export holds its rows; deleted they are in any case. @default true */
  readonly exported?: boolean;
  /** False for a table of another package that has a tenant, and neither a policy nor the scope. @default true */
  readonly isolated?: boolean;
  /** Why its rows outlive the tenant; they are then neither exported nor deleted. @default they are deleted */
  readonly kept?: string;
}

export interface TenantTablesOptions {
  /** What the column is called where a table does not say. @default 'tenant_id' */
  column?: string;
  /** The type of the columns. @default 'uuid' */
  type?: TenantIdType;
  /** Whether `tenancyMigrations` are applied where these tables are: then a tenant that is being deleted is refused. @default true */
  directory?: boolean;
}

/**
 * The list of the tables that hold rows of tenants: `'app.projects'`, or an entry that says more.
 *
 * @throws {TypeError} on a name that needs quotes, on a table named twice, and on one that is kept without a reason.
 */
export function tenantTables(
  list: readonly (string | TenantTableEntry)[],
  { column = 'tenant_id', type = 'uuid', directory = true }: TenantTablesOptions = {},
): TenantTables {
  const entries = list.map((entry) => {
    const named: TenantTableEntry = typeof entry === 'string' ? { table: entry } : entry;
    const { table, omit = [], exported = true, isolated = true, kept } = named;
    if (kept?.trim() === '') throw new TypeError('a table that is kept says why');
    for (const each of [named.column ?? column, ...omit]) quoted(each);
    const place = { ...parseName(table), column: named.column ?? column };
    return { table: { ...place, omit: [...omit], exported }, isolated, kept };
  });
  const names = new Set(entries.map(({ table }) => nameOf(table)));
  if (names.size < entries.length) throw new TypeError('a tenant table is named twice');
  const those = (isolated: boolean) =>
    entries
      .filter((entry) => entry.kept === undefined && entry.isolated === isolated)
      .map(({ table }) => table);
  return {
    type,
    directory,
    tables: those(true),
    unscoped: those(false),
    kept: entries.flatMap(({ table: { schema, name, column: held }, kept }) =>
      kept === undefined ? [] : [{ schema, name, column: held, why: kept }],
    ),
  };
}

export const nameOf = ({ schema, name }: QualifiedName) => `${schema}.${name}`;

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
