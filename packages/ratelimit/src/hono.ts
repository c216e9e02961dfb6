export { abuseGuard, type AbuseGuardMiddlewareOptions, abuseReports } from './hono/abuse-guard.ts';
export { byAddress, byRoute, byTenant, byUser, keyBy, type KeyOf } from './hono/key-by.ts';
export {
  rateLimit,
  type RateLimitEnv,
  type RateLimitMiddlewareOptions,
  type RouteLimit,
} from './hono/rate-limit.ts';
