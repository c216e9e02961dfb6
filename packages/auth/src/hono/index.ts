export { requireAbac, requirePermission, requireRole } from './guards.ts';
export { deviceCookieName } from './device-cookie.ts';
export { originOf, type Transport } from './origin.ts';
export { passkeyRoutes } from './passkey-routes.ts';
export { oauthRoutes, type OAuthRoutesOptions } from './oauth-routes.ts';
export {
  type AuthEnv,
  type PagesOptions,
  requireUser,
  type RequireUserOptions,
} from './require-user.ts';
export { jwksRoutes } from './jwks-routes.ts';
export { requireToken, type TokenEnv } from './require-token.ts';
export { authRoutes } from './routes.ts';
export { sessionCookieName } from './session-cookie.ts';
