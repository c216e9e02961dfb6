export {
  type Actor,
  type AppendAudit,
  type TenancyAct,
  type TenancyActType,
  tenancyActTypes,
  type TenancyAuditEvent,
} from './acts.ts';
export type { ActOptions, OnDeletionRequested, Origin, WriteOptions } from './context.ts';
export { acted, quotaExceeded } from './events.ts';
export {
  InvalidInvitation,
  InvitationForAnother,
  InvitationNotFound,
  LastOwner,
  MemberNotFound,
  QuotaExceeded,
  ResourceConflict,
  ResourceNotFound,
  RoleRequired,
  TenantNotFound,
  TenantSuspended,
  TooManyInvitations,
} from './failures.ts';
export type { Invitation, InvitationPreview, Invitations } from './invitations.ts';
export { asSystem, type SystemAccess, type SystemOptions } from './isolation/as-system.ts';
export {
  isolateByTenant,
  type IsolateOptions,
  type TenantIdType,
} from './isolation/isolate-by-tenant.ts';
export {
  type Tenancy as TenancyInForce,
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
export type { SendTenancyMail, TenancyMail } from './mails.ts';
export type { Member, Members } from './members.ts';
export type { Membership } from './memberships.ts';
export type { PurgedSelections } from './purge.ts';
export type { Resolution, Selector, TenantClaims } from './resolution.ts';
export { type DefaultRole, defaultRoles, type RoleLadder } from './roles.ts';
export { tenancySettings } from './settings.ts';
export { createTenancy, type Tenancy, type TenancyOptions } from './tenancy.ts';
export type { ManagedTenant, Tenant, TenantOfMember } from './tenant.ts';
export type { Tenants } from './tenants.ts';
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
