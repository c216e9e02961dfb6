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
  type OpenApiOperation,
  type OpenApiParameter,
  type OpenApiResponse,
  type OpenApiSchema,
} from './openapi.ts';
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
export { collectProblems, renderProblemIndex, renderProblemPage } from './problem-pages.ts';
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
