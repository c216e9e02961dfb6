export { requireAbac, requirePermission, requireRole } from './guards.ts';
export { deviceCookieName, originOf } from './origin.ts';
export { oauthRoutes, type OAuthRoutesOptions } from './oauth-routes.ts';
export {
  type AuthEnv,
  type PagesOptions,
  requireUser,
  type RequireUserOptions,
} from './require-user.ts';
export { authRoutes } from './routes.ts';
export { sessionCookieName } from './session-cookie.ts';
