import { failure } from '@svc/core';
import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { operation, stack, validated } from '@svc/http/hono';
import { type Context, Hono } from 'hono';
import { setCookie } from 'hono/cookie';
import { streamSSE } from 'hono/streaming';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import {
  idempotencyFailures,
  type IdempotencyEnv,
  idempotent,
  type IdempotentOptions,
  markSensitive,
} from '../src/hono.ts';
import {
  createIdempotency,
  executed,
  type IdempotencyOptions,
  type IdempotencyStore,
  memoryStore,
  StoreUnavailable,
} from '../src/index.ts';

class NameTaken extends failure('things.name_taken', 'conflict', 'The name is taken.') {}

const schema = v.object({ name: v.string() });

interface OpenOptions {
  idempotency?: Partial<IdempotencyOptions>;
  middleware?: Partial<IdempotentOptions>;
  store?: Partial<IdempotencyStore>;
}

function open({ idempotency: options = {}, middleware = {}, store = {} }: OpenOptions = {}) {
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
    idempotent(idempotency, { caller: (c) => c.req.header('X-Caller') ?? 'ada', clock, ...middleware }),
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
    return c.body(body.map((byte) => 255 - byte), 200, { 'Content-Type': 'application/x-bytes' });
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

const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

describe('a repeat over HTTP', () => {
  test('gets status, listed headers and body byte by byte, says so, and carries no cookie', async () => {
    const { json, runs } = open();
    const first = await json('a');
    expect(first.headers.getSetCookie()).toHaveLength(2);
    expect(first.headers.has('Idempotency-Replayed')).toBe(false);
    const second = await json('a', '"k"', { Origin: 'https://app.example.com' });
    expect(second.status).toBe(201);
    expect(second.headers.get('Idempotency-Replayed')).toBe('true');
    for (const name of ['content-type', 'location', 'etag'])
      expect(second.headers.get(name)).toBe(first.headers.get(name));
    expect(second.headers.getSetCookie()).toEqual([]);
    expect(second.headers.has('X-Internal')).toBe(false);
    expect(second.headers.get('X-Request-Id')).not.toBe(first.headers.get('X-Request-Id'));
    expect(second.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example.com');
    expect(second.headers.get('Access-Control-Expose-Headers')).toContain('Idempotency-Replayed');
    expect(await second.arrayBuffer()).toEqual(await first.arrayBuffer());
    expect(runs()).toBe(1);
  });

  test('of bytes that are no text, and of no body at all, is the same', async () => {
    const { send } = open();
    const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    for (const key of ['one', 'one', '"one"']) {
      const answer = await send('/things/bytes', { body, key });
      expect(new Uint8Array(await answer.arrayBuffer())).toEqual(body.toReversed());
      expect(answer.headers.get('content-type')).toBe('application/x-bytes');
    }
    for (const replayed of [null, 'true']) {
      const answer = await send('/things/gone', { method: 'DELETE' });
      expect([answer.status, await answer.text()]).toEqual([204, '']);
      expect(answer.headers.get('Idempotency-Replayed')).toBe(replayed);
    }
  });

  test('of 64 at once is executed once, and all bodies are one', async () => {
    const { clock, json, runs } = open();
    const all = Promise.all(Array.from({ length: 64 }, () => json('a')));
    await clock.advance('2s');
    const bodies = await Promise.all((await all).map((each) => each.text()));
    expect(new Set(bodies)).toEqual(new Set(['{"name":"a","run":1}']));
    expect(runs()).toBe(1);
  });

  test('while the first runs is refused with Retry-After, where it is not to wait', async () => {
    const { clock, send, runs } = open({ idempotency: { whileRunning: 'refuse' } });
    const first = send('/things/slow');
    await clock.advance('1s');
    const second = await send('/things/slow');
    expect(second.status).toBe(409);
    expect(Number(second.headers.get('Retry-After'))).toBeGreaterThanOrEqual(1);
    expect(await codeOf(second)).toBe('idempotency.in_progress');
    await clock.advance('60s');
    await first;
    expect(runs()).toBe(1);
  });

  test('with another body, query or caller is not that request', async () => {
    const { json, send, runs } = open();
    await json('a');
    const other = await json('b');
    expect([other.status, await codeOf(other)]).toEqual([409, 'idempotency.key_reused']);
    const queried = await send('/things/json?x=1', {
      body: JSON.stringify({ name: 'a' }),
      headers: { 'Content-Type': 'application/json' },
    });
    expect(queried.status).toBe(409);
    expect(await (await json('b', 'k', { 'X-Caller': 'bob' })).json()).toEqual({
      name: 'b',
      run: 2,
    });
    expect(runs()).toBe(2);
    const draft = open({ idempotency: { onMismatch: 'unprocessable' } });
    await draft.json('a');
    expect((await draft.json('b')).status).toBe(422);
  });

  test('with another method or address is a request of its own; a GET has no key', async () => {
    const { send, runs } = open();
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
      const texts = [await send('/things/any', { method }), await send('/things/any', { method })];
      expect(texts[1]?.headers.get('Idempotency-Replayed')).toBe('true');
      expect(await texts[0]?.text()).toBe(await texts[1]?.text());
    }
    expect(runs()).toBe(4);
    await send('/things/any', { method: 'GET' });
    await send('/things/any', { method: 'GET' });
    expect(runs()).toBe(6);
    await send('/things/taken');
    expect(runs()).toBe(7);
  });

  test('of JSON written in another way is the same where meaning counts', async () => {
    const { send, runs } = open({ idempotency: { fingerprint: 'json' } });
    for (const body of ['{"name":"a"}', '{ "name" : "\\u0061" }']) {
      const headers = { 'Content-Type': 'application/json' };
      expect((await send('/things/json', { body, headers })).status).toBe(201);
    }
    expect(runs()).toBe(1);
  });
});

describe('a key over HTTP', () => {
  test('may be left out, unless it is required', async () => {
    const { send, runs } = open();
    for (let times = 1; times <= 2; times += 1) {
      expect((await send('/things/any', { key: '' })).status).toBe(200);
      expect(runs()).toBe(times);
    }
    const strict = open({ middleware: { required: true } });
    const answer = await strict.send('/things/any', { key: '' });
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'idempotency.key_required']);
    expect(strict.runs()).toBe(0);
    expect((await strict.send('/things/any', { key: '', method: 'GET' })).status).toBe(200);
  });

  test('that is malformed is refused, and so are two', async () => {
    const { send, runs } = open();
    for (const key of ['a b', '"open', 'x'.repeat(256)])
      expect(await codeOf(await send('/things/any', { key }))).toBe('idempotency.key_invalid');
    const headers = [
      ['Idempotency-Key', 'a'],
      ['Idempotency-Key', 'b'],
    ] as [string, string][];
    const both = await send('/things/any', { headers, key: '' });
    expect(both.status).toBe(400);
    expect(runs()).toBe(0);
  });

  test('is taken once where the middleware stands twice', async () => {
    const { app, idempotency, send } = open();
    app.post('/things/twice', idempotent(idempotency, { caller: () => 'ada' }), (c) => c.text('ok'));
    expect((await send('/things/twice')).status).toBe(200);
  });
});

describe('what is not repeated', () => {
  test('an answer marked as secret: nothing of it is stored, and a repeat is told so', async () => {
    for (const path of ['/things/key', '/things/no-store', '/things/any?token']) {
      const { kept, send, runs } = open({
        middleware: { sensitive: (c) => c.req.query('token') !== undefined },
      });
      expect((await send(path)).status).toBeLessThan(300);
      const again = await send(path);
      expect(again.status).toBe(409);
      expect(await again.json()).toMatchObject({
        code: 'idempotency.not_replayable',
        reason: 'sensitive',
        detail: 'The answer held a secret, which is shown once and never stored.',
      });
      expect([runs(), kept]).toEqual([1, ['sensitive']]);
    }
    const lax = open({ middleware: { noStoreIsSensitive: false } });
    await lax.send('/things/no-store');
    expect((await lax.send('/things/no-store')).headers.get('Idempotency-Replayed')).toBe('true');
  });

  test('a stream and what is too large: the first passes whole, a repeat is told so', async () => {
    const { send, runs } = open({ idempotency: { maxBodyBytes: 2000 } });
    const events = await send('/things/events');
    expect(await events.text()).toContain('data: two');
    expect((await (await send('/things/events')).json()) as object).toMatchObject({
      reason: 'streamed',
    });
    const large = await send('/things/large');
    expect(await large.text()).toBe('x'.repeat(3000));
    expect((await (await send('/things/large')).json()) as object).toMatchObject({
      reason: 'too_large',
    });
    expect(runs()).toBe(2);
  });

  test('a body that comes slowly passes as it comes, and is not stored', async () => {
    const { app, clock, send } = open();
    app.post('/things/trickle', (c) => {
      let parts = 0;
      const body = new ReadableStream<Uint8Array>({
        async pull(controller) {
          if (parts > 0) await clock.sleep(1000);
          controller.enqueue(new TextEncoder().encode(`part ${(parts += 1)};`));
          if (parts === 3) controller.close();
        },
      });
      return c.body(body);
    });
    const first = send('/things/trickle');
    await clock.advance('300ms');
    const text = (await first).text();
    await clock.advance('5s');
    expect(await text).toBe('part 1;part 2;part 3;');
    expect(await (await send('/things/trickle')).json()).toMatchObject({ reason: 'streamed' });
  });

  test('errors, unless they are to be kept; faults of the service never', async () => {
    const { send, runs } = open();
    for (const path of ['/things/taken', '/things/bug'])
      for (let times = 0; times < 2; times += 1)
        expect((await send(path)).headers.has('Idempotency-Replayed')).toBe(false);
    expect(runs()).toBe(4);

    const keeping = open({ idempotency: { keep: 'all_but_5xx' } });
    const [first, second] = [await keeping.send('/things/taken'), await keeping.send('/things/taken')];
    expect([second.status, second.headers.get('Idempotency-Replayed')]).toEqual([409, 'true']);
    expect(second.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await second.text()).toBe(await first.text());
    await keeping.send('/things/bug');
    expect((await keeping.send('/things/bug')).headers.has('Idempotency-Replayed')).toBe(false);
    expect(keeping.runs()).toBe(3);
    // Refused by the schema, which stands behind the middleware.
    const invalid = { body: '{}', headers: { 'Content-Type': 'application/json' }, key: 'invalid' };
    for (const replayed of [null, 'true'])
      expect((await keeping.send('/things/json', invalid)).headers.get('Idempotency-Replayed')).toBe(
        replayed,
      );
  });

  test('what was executed after its time was over: a repeat does not execute it again', async () => {
    const { clock, send, runs } = open();
    const first = send('/things/slow');
    await clock.advance('31s');
    expect((await first).status).toBe(504);
    await clock.advance('15s');
    const again = await send('/things/slow');
    expect(again.status).toBe(409);
    expect(await again.json()).toMatchObject({ reason: 'late' });
    expect(runs()).toBe(1);
  });

  test('a request whose body is too large for a key', async () => {
    const { send, runs } = open({ idempotency: { maxBodyBytes: 10 } });
    const answer = await send('/things/bytes', { body: new Uint8Array(11) });
    expect([answer.status, await codeOf(answer)]).toEqual([413, 'idempotency.body_too_large']);
    const length = { 'Content-Length': '11' };
    expect((await send('/things/bytes', { body: new Uint8Array(11), headers: length })).status).toBe(
      413,
    );
    expect(runs()).toBe(0);
  });
});

describe('a store that is away', () => {
  const away = async () => {
    throw new StoreUnavailable({ retryAfterSeconds: 1 });
  };

  test('is a 503 and nothing is executed', async () => {
    const { send, runs } = open({ store: { claim: away } });
    const answer = await send('/things/any');
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '1']);
    expect(await codeOf(answer)).toBe('idempotency.unavailable');
    expect(runs()).toBe(0);
  });

  test('leaves nothing of an answer in the refusal that takes its place', async () => {
    const { json } = open({ store: { finish: async () => false } });
    const answer = await json('a');
    expect(answer.status).toBe(409);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.has('Location')).toBe(false);
    expect(answer.headers.has('X-Request-Id')).toBe(true);
  });
});

test('Set-Cookie cannot be asked for, and other headers can', async () => {
  const { idempotency } = open();
  const caller = () => 'ada';
  expect(() => idempotent(idempotency, { caller, replayHeaders: ['Set-Cookie'] })).toThrow(TypeError);
  const { json } = open({ middleware: { replayHeaders: ['X-Internal'] } });
  await json('a');
  const second = await json('a');
  expect(second.headers.get('X-Internal')).toBe('yes');
  expect(second.headers.has('Location')).toBe(false);
});

test('an empty caller is a mistake that nobody shares a key by', async () => {
  using executions = recordEvents(executed);
  const { send } = open({ middleware: { caller: () => '' } });
  expect((await send('/things/any')).status).toBe(500);
  expect(executions.events).toEqual([]);
});

test('the failures are described for OpenAPI', () => {
  expect(() =>
    operation({ id: 'x', summary: 'x', responses: {}, failures: [...idempotencyFailures] }),
  ).not.toThrow();
});
