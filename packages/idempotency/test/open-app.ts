import { failure } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import { stack, validated } from '@svc/http/hono';
import { type Context, Hono } from 'hono';
import { setCookie } from 'hono/cookie';
import { streamSSE } from 'hono/streaming';
import * as v from 'valibot';
import {
  type IdempotencyEnv,
  idempotent,
  type IdempotentOptions,
  markSensitive,
} from '../src/hono.ts';
import {
  createIdempotency,
  type IdempotencyOptions,
  type IdempotencyStore,
  memoryStore,
} from '../src/index.ts';

class NameTaken extends failure('things.name_taken', 'conflict', 'The name is taken.') {}

const schema = v.object({ name: v.string() });

interface OpenOptions {
  idempotency?: Partial<IdempotencyOptions>;
  middleware?: Partial<IdempotentOptions>;
  store?: Partial<IdempotencyStore>;
}

export function openApp({
  idempotency: options = {},
  middleware = {},
  store = {},
}: OpenOptions = {}) {
  const clock = testClock();
  const logger = recordingLogger();
  const kept: unknown[] = [];
  const inner = memoryStore({ clock });
  const idempotency = createIdempotency({
    store: {
      ...inner,
      finish: (claim, result) => (kept.push(result), inner.finish(claim, result)),
      ...store,
    },
    clock,
    logger,
    ...options,
  });
  let runs = 0;
  const app = new Hono<IdempotencyEnv>();
  stack(app, { clock, logger, cors: { origins: ['https://app.example.com'] } });
  app.use(
    '/things/*',
    idempotent(idempotency, {
      caller: (c) => c.req.header('X-Caller') ?? 'ada',
      clock,
      ...middleware,
    }),
  );
  const counted = async (_: Context, next: () => Promise<void>) => {
    runs += 1;
    await next();
  };
  app.use('/things/*', counted);
  app.post('/things/json', validated('json', schema), (c) => {
    setCookie(c, 'session', 'secret-cookie');
    setCookie(c, 'second', 'secret-cookie');
    c.header('Location', `/things/${runs}`);
    c.header('ETag', '"1"');
    c.header('X-Internal', 'yes');
    return c.json({ ...c.req.valid('json'), run: runs }, 201);
  });
  app.on(['PUT', 'PATCH', 'DELETE', 'GET', 'POST'], '/things/any', (c) => c.text(`run ${runs}`));
  app.post('/things/bytes', async (c) => {
    const body = new Uint8Array(await c.req.arrayBuffer());
    return c.body(
      body.map((byte) => 255 - byte),
      200,
      { 'Content-Type': 'application/x-bytes' },
    );
  });
  app.delete('/things/gone', (c) => c.body(null, 204));
  app.post('/things/taken', () => {
    throw new NameTaken();
  });
  app.post('/things/bug', () => {
    throw new Error('bug');
  });
  app.post('/things/key', (c) => {
    markSensitive(c);
    return c.json({ secret: 'sk_live_1' }, 201);
  });
  app.post('/things/no-store', (c) => c.json({ ok: runs }, 200, { 'Cache-Control': 'no-store' }));
  app.post('/things/events', (c) =>
    streamSSE(c, async (stream) => {
      await stream.writeSSE({ data: 'one' });
      await stream.writeSSE({ data: 'two' });
    }),
  );
  app.post('/things/large', (c) => c.text('x'.repeat(3000)));
  app.post('/things/slow', async (c) => {
    await clock.sleep(40_000);
    return c.text('done', 201);
  });
  const send = (path: string, init: RequestInit & { key?: string } = {}) => {
    const { key = 'k', ...rest } = init;
    const headers = new Headers(rest.headers);
    if (key !== '') headers.set('Idempotency-Key', key);
    return app.request(path, { method: 'POST', ...rest, headers });
  };
  const json = (name: string, key = 'k', headers: Record<string, string> = {}) =>
    send('/things/json', {
      key,
      body: JSON.stringify({ name }),
      headers: { 'Content-Type': 'application/json', ...headers },
    });
  return { app, clock, logger, kept, send, json, idempotency, runs: () => runs };
}

export const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;
