export { quotaExceeded } from './events.ts';
export { QuotaExceeded } from './failures.ts';
export { asSystem, type SystemAccess, type SystemOptions } from './isolation/as-system.ts';
export {
  isolateByTenant,
  type IsolateOptions,
  type TenantIdType,
} from './isolation/isolate-by-tenant.ts';
export {
  type Tenancy,
  tenancyOf,
  type TenancyPlugin,
  tenantScope,
  tenantScoped,
  type TenantScopeOptions,
} from './isolation/tenant-scope.ts';
export {
  type TenantTable,
  type TenantTables,
  tenantTables,
  type TenantTablesOptions,
} from './isolation/tenant-tables.ts';
export { withTenant } from './isolation/with-tenant.ts';
export {
  createTenantLimits,
  type TenantLimit,
  type TenantLimits,
  type TenantLimitsOptions,
} from './limits.ts';
export {
  lintTenancy,
  type LintTenancyOptions,
  type TenancyFinding,
} from './isolation/lint-tenancy.ts';
export {
  migrateTenants,
  type MigrateTenantsOptions,
  type TenantsMigrated,
} from './isolation/strategies/migrate-tenants.ts';
export {
  schemaPerTenant,
  type SchemaPerTenantOptions,
} from './isolation/strategies/schema-per-tenant.ts';
export { sharedTables, type SharedTablesOptions } from './isolation/strategies/shared-tables.ts';
export type { TenantIsolation, WithinOptions } from './isolation/tenant-isolation.ts';
