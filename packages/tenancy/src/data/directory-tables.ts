import {
  type KeptTable,
  nameOf,
  type TenantTable,
  type TenantTables,
} from '../isolation/tenant-tables.ts';

const own = (name: string, more: Partial<TenantTable> = {}): TenantTable => ({
  schema: 'svc_tenancy',
  name,
  column: 'tenant_id',
  omit: [],
  exported: true,
  ...more,
});

/** The row of the tenant itself. */
export const tenantsTable = own('tenants', { column: 'id', omit: ['deletion_requested_at'] });
export const tenantsName = nameOf(tenantsTable);

/** What lets somebody into a tenant. An invitation is a secret, a selection belongs to a session: no export has them. */
export const accessTables: readonly TenantTable[] = [
  own('memberships'),
  own('invitations', { exported: false }),
  own('selections', { exported: false }),
];

const deletions: KeptTable = {
  schema: 'svc_tenancy',
  name: 'deletions',
  column: 'tenant_id',
  why: 'It says that the tenant was deleted, and keeps those out who have not noticed.',
};

// The ids of the directory are UUIDs; tenants of another kind are in none.
const hasDirectory = ({ directory, type }: TenantTables) => directory && type === 'uuid';

/** Those of the package itself. */
export const directoryTables = (list: TenantTables): readonly TenantTable[] =>
  hasDirectory(list) ? [tenantsTable, ...accessTables] : [];

/** Every table with rows that go when their tenant goes. */
export const tablesToDelete = (list: TenantTables): readonly TenantTable[] => [
  ...directoryTables(list),
  ...list.tables,
  ...list.unscoped,
];

export const tablesToExport = (list: TenantTables): readonly TenantTable[] =>
  tablesToDelete(list).filter(({ exported }) => exported);

export const tablesKept = (list: TenantTables): readonly KeptTable[] =>
  hasDirectory(list) ? [deletions, ...list.kept] : list.kept;
