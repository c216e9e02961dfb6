import type { Db } from '@svc/db';
import type { TenantIsolation } from '../tenant-isolation.ts';
import { tenantScoped } from '../tenant-scope.ts';
import type { TenantTables } from '../tenant-tables.ts';
import { withTenant } from '../with-tenant.ts';

export interface SharedTablesOptions {
  db: Db;
  tables: TenantTables;
}

/** All tenants in the same tables, which `isolateByTenant` has dealt with. */
export function sharedTables({ db, tables }: SharedTablesOptions): TenantIsolation {
  const scoped = tenantScoped(db, tables);
  return {
    within: (tenantId, fn, { within = scoped, ...options } = {}) =>
      withTenant(within, tenantId, fn, options),
    async provision() {},
  };
}
