export {
  type Actor,
  type AppendAudit,
  type TenancyAct,
  type TenancyActType,
  tenancyActTypes,
  type TenancyAuditEvent,
} from './acts.ts';
export { checkTenantTables, type CheckTenantTablesOptions } from './data/check-tenant-tables.ts';
export {
  exportFolder,
  type ExportSink,
  type ExportSource,
  importFolder,
} from './data/export-files.ts';
export {
  exportTable,
  type ExportTableOptions,
  exportTenant,
  type ExportTenantOptions,
} from './data/export-tenant.ts';
export { importTenant, type ImportTenantOptions } from './data/import-tenant.ts';
export { readManifest } from './data/checked-lines.ts';
export type { TenantManifest, TenantManifestTable } from './data/manifest.ts';
export type { DataProgress } from './data/progress.ts';
export { type DeletionReceipt, receiptDigest } from './deletion/receipt.ts';
export {
  createTenantDeletion,
  type DeletionProgress,
  type TenantDeletion,
  type TenantDeletionOptions,
} from './deletion/tenant-deletion.ts';
export type {
  ActOptions,
  MayInvite,
  OnDeletionRequested,
  OnMemberRemoved,
  Origin,
  WriteOptions,
} from './context.ts';
export { acted, quotaExceeded } from './events.ts';
export {
  DeletionBegun,
  DeletionHeldUp,
  DeletionNotDue,
  InvalidExport,
  InvalidInvitation,
  InvitationForAnother,
  InvitationNotFound,
  LastOwner,
  MemberNotFound,
  QuotaExceeded,
  ResourceConflict,
  ResourceNotFound,
  RoleRequired,
  RowsRemain,
  TenantMismatch,
  TenantNotEmpty,
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
  type KeptTable,
  type TenantTable,
  type TenantTableEntry,
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
  type QueueTenancyMail,
  type SendTenancyMail,
  type TenancyMail,
  type TenancyMailRequest,
  TenancyMailRequestSchema,
} from './mails.ts';
export type { Member, Members } from './members.ts';
export type { Membership } from './memberships.ts';
export type { FindOver, PurgedSelections } from './purge.ts';
export type { Resolution, Selector, TenantClaims } from './resolution.ts';
export { type DefaultRole, defaultRoles, type RoleLadder } from './roles.ts';
export { tenancySettings } from './settings.ts';
export { createTenancy, type Tenancy, type TenancyOptions } from './tenancy.ts';
export type { ManagedTenant, Tenant, TenantOfMember } from './tenant.ts';
export type { Tenants } from './tenants.ts';
export {
  lintTenancy,
  type LintTenancyOptions,
  type TenancyException,
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
