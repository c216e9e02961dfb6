export { type ClientAddress, type ClientAddressOptions, createClientAddress, toRateLimitAddress } from './client-address.ts';
export {
  CrossSite,
  MalformedBody,
  MalformedRequest,
  MethodNotAllowed,
  RouteNotFound,
  UnsupportedMediaType,
} from './failures.ts';
export {
  type CheckReport,
  createHealth,
  type Health,
  type HealthCheck,
  type HealthOptions,
  type HealthReport,
} from './health.ts';
export { escapeHtml } from './html.ts';
export { BodyIncomplete, BodyTimeout, BodyTooLarge, HandlerTimeout } from './limit-failures.ts';
export { expectedVersions, PreconditionFailed, PreconditionRequired, toEtag } from './precondition.ts';
export { type Problem, type ProblemContext, statusOf, toProblem } from './problem.ts';
export { onSignals, type OnSignalsOptions, type Shutdown, type Stoppable } from './shutdown.ts';
