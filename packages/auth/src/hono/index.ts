export { jwksRoutes } from './jwks-routes.ts';
export { requireToken, type TokenEnv } from './require-token.ts';
export { type AuthEnv, requireUser, type RequireUserOptions } from './require-user.ts';
export { authRoutes } from './routes.ts';
export { sessionCookieName } from './session-cookie.ts';
