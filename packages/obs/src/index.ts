export { contentTypes, type MetricsFormat } from './metrics/exposition.ts';
export type {
  Counter,
  CounterSeries,
  Family,
  Gauge,
  GaugeSeries,
  Histogram,
  HistogramSeries,
  Labels,
  MeasuredIn,
  Metric,
} from './metrics/families.ts';
export {
  createMetrics,
  durationBuckets,
  type HistogramOptions,
  type MetricOptions,
  type Metrics,
  type MetricsOptions,
  type MetricSource,
} from './metrics/registry.ts';
export { MetricsRefused } from './failures.ts';
export {
  createObs,
  type JobAttempt,
  type Obs,
  type ObservedRequest,
  type ObsOptions,
} from './obs.ts';
export type { WatchedPool } from './recorders/database.ts';
export type { ServerAnswer, ServerRequest } from './recorders/http-server.ts';
export type { WatchedRedis } from './recorders/redis.ts';
export { createRedaction, type Redaction, type RedactionOptions } from './redaction.ts';
export { type RouteClass, type RouteClasses, routeClasses } from './route-class.ts';
export { createScopes, type Scope, type Scopes } from './scope.ts';
export { obsSettings } from './settings.ts';
export { readBaggage } from './tracing/baggage.ts';
export {
  type IncomingTrace,
  readTrace,
  type Trace,
  traceHeaders,
  type Trust,
} from './tracing/trace.ts';
export {
  idTracer,
  type Span,
  type SpanAttributes,
  type SpanKind,
  type SpanStart,
  type Tracer,
} from './tracing/tracer.ts';
export { readTraceparent, type TraceParent, toTraceparent } from './tracing/traceparent.ts';
export { readTracestate } from './tracing/tracestate.ts';
export { type Dashboard, dashboards } from './slos/dashboards.ts';
export {
  type BurnWindow,
  burnWindows,
  type Rule,
  rulesFile,
  type RulesFile,
  type RulesOptions,
} from './slos/rules.ts';
export { type Slo, slo, type SloOptions } from './slos/slo.ts';
export {
  type CheckOptions,
  databaseCheck,
  type FetchProbe,
  httpCheck,
  redisCheck,
  s3Check,
  smtpCheck,
  tcpCheck,
} from './health-checks.ts';
