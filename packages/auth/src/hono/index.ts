export { type AuthEnv, requireUser, type RequireUserOptions } from './require-user.ts';
export { authRoutes } from './routes.ts';
export { sessionCookieName } from './session-cookie.ts';
