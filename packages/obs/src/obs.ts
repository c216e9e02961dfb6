import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import { callEnded, type OutboundContext } from '@svc/http';
import type { MeasuredIn } from './metrics/families.ts';
import { createMetrics, type Metrics } from './metrics/registry.ts';
import { databaseRecorder, type WatchedPool } from './recorders/database.ts';
import { recordHttpClient } from './recorders/http-client.ts';
import {
  httpServerRecorder,
  type ServerAnswer,
  type ServerRequest,
} from './recorders/http-server.ts';
import { recordJobs } from './recorders/jobs.ts';
import { createListening } from './recorders/listen.ts';
import { redisRecorder, type WatchedRedis } from './recorders/redis.ts';
import { runtimeRecorder } from './recorders/runtime.ts';
import { recordActs, recordLimits, recordMail, recordWebhooks } from './recorders/services.ts';
import { createScopes, type Scopes } from './scope.ts';
import { readTrace, type Trace, traceHeaders, type Trust } from './tracing/trace.ts';
import { idTracer, type Span, type Tracer } from './tracing/tracer.ts';
import { readTraceparent, toTraceparent } from './tracing/traceparent.ts';

/** What a worker of `@svc/jobs` tells of an attempt. */
export interface JobAttempt {
  readonly id: string;
  readonly task: string;
  readonly attempt: number;
  readonly tenantId: string | null;
  readonly traceparent: string | null;
}

/** A request that is being answered. */
export interface ObservedRequest {
  readonly trace: Trace;
  end(answer: Omit<ServerAnswer, 'measuredIn'>): void;
}

/** Turns what a process does into metrics and spans, and carries traces through it. */
export interface Obs {
  readonly metrics: Metrics;
  readonly scopes: Scopes;
  readonly clock: Clock;
  /** Listens to the event channels, to ioredis and to the runtime. A second call does nothing. */
  start(): void;
  stop(): void;
  /** Measures the pool at each scrape. Gives back what ends it. */
  watchDatabase(pool: WatchedPool): () => void;
  /** Tells at each scrape whether the client is connected. Gives back what ends it. */
  watchRedis(client: WatchedRedis, name?: string): () => void;
  /** For adapters: a request begins. */
  beginRequest(
    request: ServerRequest,
    header: (name: string) => string | undefined | null,
  ): ObservedRequest;
  /** The `context` of `createGuardedFetch`: each call is a span of its own. */
  callContext(): OutboundContext;
  /** The `context` of `createJobs`: a job continues the trace, and belongs to the tenant, of what enqueued it. */
  jobContext(): { traceparent?: string; tenantId?: string };
  /** The `around` of `createWorker`: an attempt is a span of the trace that its job carries. */
  aroundJob(attempt: JobAttempt, run: () => Promise<unknown>): Promise<unknown>;
}

export interface ObsOptions {
  /** @default createMetrics({ logger, clock }) */
  metrics?: Metrics;
  /** The ones that the logger was given. @default createScopes() */
  scopes?: Scopes;
  /** @default idTracer() */
  tracer?: Tracer;
  /** Whose `traceparent` is continued: nobody's at the `edge`, those of the callers in a `mesh`. @default 'edge' */
  trust?: Trust;
  /** Which measurements keep their trace: with logs of every request `always`, with traces alone those that are `sampled`. @default 'always' */
  exemplars?: 'always' | 'sampled';
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

/** Makes the observer of a process. Nothing is listened to before `start`. */
export function createObs({
  clock = systemClock,
  logger = silentLogger,
  metrics = createMetrics({ clock, logger }),
  scopes = createScopes(),
  tracer = idTracer(),
  trust = 'edge',
  exemplars = 'always',
}: ObsOptions = {}): Obs {
  const listening = createListening(logger);
  const server = httpServerRecorder(metrics);
  // Metrics of events exist once; starting again subscribes again.
  const recorders: (() => void)[] = [];
  const { listen } = listening;
  const database = databaseRecorder(metrics, (channel, record) =>
    recorders.push(() => listen(channel, record)),
  );
  for (const record of [
    recordHttpClient,
    recordJobs,
    recordWebhooks,
    recordMail,
    recordLimits,
    recordActs,
  ])
    record(metrics, (channel, each) => recorders.push(() => listen(channel, each)));
  const redis = redisRecorder(metrics, clock);
  const runtime = runtimeRecorder(metrics, clock);
  const calls = new WeakMap<OutboundContext, Span>();
  let isRunning = false;

  const endCall = ({ method, host, status, error, context }: CallEnd) => {
    const span = context === undefined ? undefined : calls.get(context);
    span?.end({
      attributes: {
        'http.request.method': method,
        ...(host !== null && { 'server.address': host }),
        ...(status !== null && { 'http.response.status_code': status }),
      },
      error: error ?? (status !== null && status >= 400 ? String(status) : undefined),
    });
  };
  const childOf = (trace: Trace | undefined) =>
    trace === undefined
      ? undefined
      : { parent: trace, tracestate: trace.tracestate, baggage: trace.baggage };
  const exemplarOf = ({ traceId, spanId, sampled }: Trace): MeasuredIn | undefined =>
    sampled || exemplars === 'always' ? { traceId, spanId } : undefined;

  return {
    metrics,
    scopes,
    clock,
    start() {
      if (isRunning) return;
      isRunning = true;
      for (const record of recorders) record();
      listen(callEnded, endCall);
      redis.start();
      runtime.start();
    },
    stop() {
      isRunning = false;
      listening.stop();
      redis.stop();
      runtime.stop();
    },
    watchDatabase: (pool) => database.watch(pool),
    watchRedis: (client, name) => redis.watch(client, name),
    beginRequest(request, header) {
      const end = server.begin(request);
      const span = tracer.start({
        name: request.method,
        kind: 'server',
        parent: readTrace(header, trust),
        attributes: { 'http.request.method': request.method, 'url.scheme': request.scheme },
      });
      const { trace } = span;
      return {
        trace,
        end(answer) {
          const { status, route } = answer;
          end({ ...answer, measuredIn: exemplarOf(trace) });
          span.end({
            name: route === '' ? request.method : `${request.method} ${route}`,
            attributes: {
              'http.response.status_code': status,
              ...(route !== '' && { 'http.route': route }),
            },
            error: status >= 500 ? (answer.exception ?? String(status)) : undefined,
          });
        },
      };
    },
    callContext() {
      const scope = scopes.current();
      const span = tracer.start({
        name: 'call',
        kind: 'client',
        parent: childOf(scope?.trace),
        attributes: {},
      });
      // What others than our own services would learn from it stays here.
      const headers = traceHeaders(span.trace, { baggage: trust === 'mesh' });
      const context = { requestId: scope?.requestId, traceHeaders: headers };
      calls.set(context, span);
      return context;
    },
    jobContext() {
      const scope = scopes.current();
      if (scope === undefined) return {};
      const { trace, tenantId } = scope;
      return { traceparent: toTraceparent(trace), ...(tenantId !== undefined && { tenantId }) };
    },
    async aroundJob(attempt, run) {
      const parent = readTraceparent(attempt.traceparent ?? undefined);
      const span = tracer.start({
        name: attempt.task,
        kind: 'consumer',
        parent: parent === undefined ? undefined : { parent, tracestate: '', baggage: '' },
        attributes: { 'messaging.message.id': attempt.id, 'svc.job.attempt': attempt.attempt },
      });
      const scope = { trace: span.trace, tenantId: attempt.tenantId ?? undefined };
      try {
        const result = await scopes.run(scope, run);
        span.end({});
        return result;
      } catch (error) {
        span.end({ error: error instanceof Error ? error.name : 'unknown' });
        throw error;
      }
    },
  };
}

interface CallEnd {
  readonly method: string;
  readonly host: string | null;
  readonly status: number | null;
  readonly error: string | null;
  readonly context: OutboundContext | undefined;
}
