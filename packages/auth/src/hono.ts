export { requireAbac, requirePermission, requireRole } from './hono/guards.ts';
export { deviceCookieName } from './hono/device-cookie.ts';
export { originOf, type Transport } from './hono/origin.ts';
export { requireTenantMfa, type RequireTenantMfaOptions } from './hono/require-tenant-mfa.ts';
export {
  tenantApiKeyRoutes,
  type TenantApiKeyRoutesOptions,
} from './hono/tenant-api-key-routes.ts';
export { passkeyRoutes } from './hono/passkey-routes.ts';
export { oauthRoutes, type OAuthRoutesOptions } from './hono/oauth-routes.ts';
export {
  type AuthEnv,
  type PagesOptions,
  requireUser,
  type RequireUserOptions,
} from './hono/require-user.ts';
export { jwksRoutes } from './hono/jwks-routes.ts';
export { requireToken, type TokenEnv } from './hono/require-token.ts';
export { authRoutes } from './hono/routes.ts';
export { sessionCookieName } from './hono/session-cookie.ts';
