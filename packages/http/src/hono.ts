export {
  apiDoctor,
  type ApiDoctorOptions,
  type ApiFinding,
  type ApiRule,
} from './hono/api-doctor.ts';
export { cors, type CorsOptions } from './hono/cors.ts';
export { csrfGuard, type CsrfGuardOptions } from './hono/csrf-guard.ts';
export { htmlPage, linkPage, type LinkPageOptions, messagePage } from './hono/link-page.ts';
export { documentMiddleware, inTurn, type MiddlewareDocs } from './hono/middleware-docs.ts';
export { methodNotAllowed } from './hono/method-not-allowed.ts';
export { noStore } from './hono/no-store.ts';
export {
  openapiDocument,
  type OpenApiOptions,
  openapiRoutes,
  undocumentedRoutes,
} from './hono/openapi-routes.ts';
export { operation, type OperationOptions, type OperationResponse } from './hono/operation.ts';
export { problemRoutes, type ProblemRoutesOptions } from './hono/problem-routes.ts';
export { problems, type ProblemsOptions } from './hono/problems.ts';
export {
  type HttpEnv,
  requestContext,
  type RequestContextOptions,
} from './hono/request-context.ts';
export { securityHeaders, type SecurityHeadersOptions } from './hono/security-headers.ts';
export { validated, type ValidatedInput, type ValidatedTarget } from './hono/validated.ts';
export { wellFormedUrl } from './hono/well-formed-url.ts';
export { bodyLimit, type BodyLimitOptions } from './hono/body-limit.ts';
export { handlerTimeout, type HandlerTimeoutOptions } from './hono/handler-timeout.ts';
export { probeRoutes } from './hono/probe-routes.ts';
export { remoteAddress } from './hono/remote-address.ts';
export { stack, type StackOptions } from './hono/stack.ts';
export { breakerGuard, bulkheadGuard } from './hono/resilience.ts';
export { type ApiVersion, apiVersions, type ApiVersionsOptions } from './hono/api-versions.ts';
export { deprecated, type DeprecatedOptions } from './hono/deprecated.ts';
export { loadShedding, type LoadSheddingOptions } from './hono/load-shedding.ts';
export { maintenanceGuard, type MaintenanceGuardOptions } from './hono/maintenance-guard.ts';
