export {
  type ClientAddress,
  type ClientAddressOptions,
  createClientAddress,
  toRateLimitAddress,
} from './client-address.ts';
export { renderDocsPage } from './docs-page.ts';
export {
  CrossSite,
  MalformedBody,
  MalformedUrl,
  MethodNotAllowed,
  NotFound,
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
export { BodyIncomplete, BodyTimeout, BodyTooLarge, HandlerTimeout } from './limit-failures.ts';
export {
  documentProblems,
  type DocumentProblemsOptions,
  jsonSchemaOf,
  type OpenApiContent,
  type OpenApiDocument,
  type OpenApiHeader,
  type OpenApiOperation,
  type OpenApiParameter,
  type OpenApiResponse,
  type OpenApiSchema,
} from './openapi.ts';
export { checkOutboundUrl, type DestinationRules } from './outbound/destination.ts';
export {
  OutboundRefused,
  type RefusalReason,
  UpstreamTimeout,
  UpstreamTooLarge,
  UpstreamUnreachable,
} from './outbound/failures.ts';
export {
  createGuardedFetch,
  type GuardedFetch,
  type GuardedFetchOptions,
  type OutboundContext,
} from './outbound/guarded-fetch.ts';
export {
  dnsResolver,
  type DnsResolverOptions,
  type Resolver,
  systemResolver,
} from './outbound/resolver.ts';
export { isPublicAddress } from './outbound/special-addresses.ts';
export {
  breakerChanged,
  callEnded,
  callRetried,
  maintenanceChanged,
  sheddingChanged,
} from './events.ts';
export {
  createLoadShedder,
  type LoadShedder,
  type LoadShedderOptions,
  Overloaded,
  type Priority,
} from './load-shedder.ts';
export { ReadOnly, UnderMaintenance } from './maintenance/failures.ts';
export {
  createMaintenance,
  type Maintenance,
  type MaintenanceEntry,
  type MaintenanceOptions,
  type MaintenanceTarget,
} from './maintenance/maintenance.ts';
export type { MaintenanceStore } from './maintenance/store.ts';
export { memoryMaintenanceStore } from './stores/memory.ts';
export {
  type Breaker,
  type BreakerOptions,
  type BreakerState,
  createBreaker,
  type Permit,
} from './resilience/breaker.ts';
export { type Bulkhead, type BulkheadOptions, createBulkhead } from './resilience/bulkhead.ts';
export { CallTimeout, CircuitOpen, TooManyCalls } from './resilience/failures.ts';
export { isFault } from './resilience/fault.ts';
export {
  type Attempt,
  createPolicy,
  type Policy,
  type PolicyOptions,
  type RunOptions,
} from './resilience/policy.ts';
export {
  type FetchUrl,
  resilientFetch,
  type ResilientFetchOptions,
} from './resilience/resilient-fetch.ts';
export { parseRetryAfter, type RetryOptions } from './resilience/retry.ts';
export type { Page } from './page.ts';
export {
  describeProblem,
  type Problem,
  type ProblemAnswer,
  type ProblemDescription,
  statusOf,
  toProblem,
  type ToProblemOptions,
} from './problem.ts';
export {
  adviceOf,
  collectProblems,
  renderProblemIndex,
  renderProblemPage,
} from './problem-pages.ts';
export {
  conflictAsPrecondition,
  expectedVersions,
  expectsAbsence,
  isKnownVersion,
  PreconditionFailed,
  PreconditionRequired,
  requireVersions,
  toEtag,
} from './precondition.ts';
export { httpSettings } from './settings.ts';
export { onSignals, type OnSignalsOptions, type Shutdown, type Stoppable } from './shutdown.ts';
