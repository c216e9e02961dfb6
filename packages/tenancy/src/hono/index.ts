export type { TenantCrudRoutes } from './crud-routes-type.ts';
export type { ExpectedVersion, TenantCrudQuery } from './crud-schemas.ts';
export type { PrincipalOf, TenantPrincipal } from './principal.ts';
export {
  type ActiveTenant,
  optionalTenant,
  type OptionalTenantEnv,
  requireTenant,
  type RequireTenantOptions,
  requireTenantRole,
  type TenantEnv,
} from './require-tenant.ts';
export { staleAsPrecondition } from './stale-as-precondition.ts';
export { tenantRoutes, type TenantRoutesOptions } from './routes.ts';
export { type CrudAction, tenantCrud, type TenantCrudOptions } from './tenant-crud.ts';
