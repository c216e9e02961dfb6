import {
  type Context,
  ROOT_CONTEXT,
  type SpanOptions,
  trace as otel,
  TraceFlags,
} from '@opentelemetry/api';
import { callEnded } from '@svc/http';
import { createJobs, createWorker, memoryStore, defineTask } from '@svc/jobs';
import { createObs, readTraceparent, type Tracer } from '@svc/obs';
import { observe } from '@svc/obs/hono';
import { openTelemetryTracer } from '@svc/obs/opentelemetry';
import { Hono } from 'hono';
import * as v from 'valibot';
import { expect, test } from 'vitest';

interface KeptSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  kind: number | undefined;
  attributes: Record<string, unknown>;
  status: number | undefined;
  ended: boolean;
}

/** The part of an SDK that makes spans: everything is sampled and kept. */
function recordingSdk() {
  const spans: KeptSpan[] = [];
  const startSpan = (
    name: string,
    { kind, attributes }: SpanOptions = {},
    context: Context = ROOT_CONTEXT,
  ) => {
    const parent = otel.getSpanContext(context);
    const number = String(spans.length + 1);
    const kept: KeptSpan = {
      name,
      traceId: parent?.traceId ?? number.padStart(32, 'a'),
      spanId: number.padStart(16, 'b'),
      parentSpanId: parent?.spanId,
      kind,
      attributes: { ...attributes },
      status: undefined,
      ended: false,
    };
    spans.push(kept);
    return {
      spanContext: () => ({
        traceId: kept.traceId,
        spanId: kept.spanId,
        traceFlags: TraceFlags.SAMPLED,
      }),
      updateName: (next: string) => void (kept.name = next),
      setAttribute: (key: string, value: unknown) => void (kept.attributes[key] = value),
      setAttributes: (more: object) => void Object.assign(kept.attributes, more),
      setStatus: ({ code }: { code: number }) => void (kept.status = code),
      end: () => void (kept.ended = true),
    };
  };
  return { spans, tracer: { startSpan } as never };
}

const task = defineTask({ name: 'mail.send', payload: v.object({}), run: () => undefined });

/** A request that enqueues a job, whose attempt calls another service. */
async function tree(tracer: Tracer) {
  const obs = createObs({ tracer, trust: 'mesh' });
  obs.start();
  const seen: {
    headers?: Record<string, string>;
    traceId?: string;
    tenantId?: string | undefined;
  } = {};
  const calling = {
    ...task,
    run: () => {
      const context = obs.callContext();
      seen.headers = { ...context.traceHeaders };
      seen.traceId = obs.scopes.current()?.trace.traceId ?? '';
      seen.tenantId = obs.scopes.current()?.tenantId;
      const of = { method: 'POST', host: 'hooks.example', status: 503, error: null, durationMs: 5 };
      callEnded.publish('webhooks', { ...of, responseBytes: 0, context });
    },
  };
  const jobs = createJobs({ store: memoryStore(), tasks: [calling], context: obs.jobContext });
  const worker = createWorker({ jobs, around: obs.aroundJob });
  const app = new Hono()
    .use(observe(obs, { identify: () => ({ tenantId: 'tenant-1' }) }))
    .post('/orders/:id', async (c) => {
      await jobs.enqueue('mail.send', {});
      return c.text('done', 500);
    });
  const traceparent = '00-12345678901234567890123456789012-1234567890123456-01';
  await app.request('/orders/7', { method: 'POST', headers: { traceparent, baggage: 'a=1' } });
  worker.start();
  await worker.drained();
  await worker.stop();
  obs.stop();
  return seen;
}

test('with an SDK, request, job and call are spans of one trace, each below the one before', async () => {
  const sdk = recordingSdk();
  const { headers, tenantId } = await tree(openTelemetryTracer(sdk.tracer));
  const [server, attempt, call] = sdk.spans;
  const traceId = '12345678901234567890123456789012';
  expect(sdk.spans).toMatchObject([
    {
      name: 'POST /orders/:id',
      traceId,
      parentSpanId: '1234567890123456',
      attributes: {
        'http.route': '/orders/:id',
        'http.response.status_code': 500,
        'error.type': '500',
      },
      status: 2,
      ended: true,
    },
    { name: 'mail.send', traceId, parentSpanId: server?.spanId, status: undefined, ended: true },
    {
      traceId,
      parentSpanId: attempt?.spanId,
      attributes: { 'server.address': 'hooks.example', 'error.type': '503' },
      ended: true,
    },
  ]);
  expect(headers?.['traceparent']).toBe(`00-${traceId}-${call?.spanId}-01`);
  expect(tenantId).toBe('tenant-1');
});

test('without an SDK ids are carried all the same', async () => {
  const { headers, traceId } = await tree(openTelemetryTracer());
  expect(traceId).toBe('12345678901234567890123456789012');
  expect(readTraceparent(headers?.['traceparent'])).toMatchObject({ traceId, sampled: true });
});

test('outside of every request a call and a job begin a trace of their own', async () => {
  const obs = createObs();
  expect(obs.jobContext()).toEqual({});
  const [a, b] = [obs.callContext(), obs.callContext()].map(({ traceHeaders }) =>
    readTraceparent(traceHeaders?.['traceparent']),
  );
  expect(a?.traceId).not.toBe(b?.traceId);
  const attempt = { id: 'j', task: 'a', attempt: 1, tenantId: null, traceparent: 'nonsense' };
  await expect(
    obs.aroundJob(attempt, async () => {
      throw new RangeError('x');
    }),
  ).rejects.toThrow(RangeError);
});

test('requests at once keep their traces apart', async () => {
  const obs = createObs();
  const app = new Hono().use(observe(obs)).get('/', async (c) => {
    const before = obs.scopes.current()?.trace.traceId;
    await new Promise((resolve) => setTimeout(resolve, 2));
    return c.json(before === obs.scopes.current()?.trace.traceId ? before : 'mixed');
  });
  const ids = await Promise.all(
    Array.from({ length: 50 }, async () => (await app.request('/')).json()),
  );
  expect(new Set(ids).size).toBe(50);
  expect(ids).not.toContain('mixed');
});
