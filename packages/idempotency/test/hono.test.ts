import { recordEvents } from '@svc/core/testing';
import { operation } from '@svc/http/hono';
import { describe, expect, test } from 'vitest';
import { idempotencyFailures, idempotent } from '../src/hono.ts';
import { executed, StoreUnavailable } from '../src/index.ts';
import { codeOf, openApp } from './open-app.ts';

describe('a repeat over HTTP', () => {
  test('gets status, listed headers and body byte by byte, says so, and carries no cookie', async () => {
    const { json, runs } = openApp();
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
    const { send } = openApp();
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
    const { clock, json, runs } = openApp();
    const all = Promise.all(Array.from({ length: 64 }, () => json('a')));
    await clock.advance('2s');
    const bodies = await Promise.all((await all).map((each) => each.text()));
    expect(new Set(bodies)).toEqual(new Set(['{"name":"a","run":1}']));
    expect(runs()).toBe(1);
  });

  test('while the first runs is refused with Retry-After, where it is not to wait', async () => {
    const { clock, send, runs } = openApp({ idempotency: { whileRunning: 'refuse' } });
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
    const { json, send, runs } = openApp();
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
    const draft = openApp({ idempotency: { onMismatch: 'unprocessable' } });
    await draft.json('a');
    expect((await draft.json('b')).status).toBe(422);
  });

  test('with another method or address is a request of its own; a GET has no key', async () => {
    const { send, runs } = openApp();
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
    const { send, runs } = openApp({ idempotency: { fingerprint: 'json' } });
    for (const body of ['{"name":"a"}', '{ "name" : "\\u0061" }']) {
      const headers = { 'Content-Type': 'application/json' };
      expect((await send('/things/json', { body, headers })).status).toBe(201);
    }
    expect(runs()).toBe(1);
  });
});

describe('a key over HTTP', () => {
  test('may be left out, unless it is required', async () => {
    const { send, runs } = openApp();
    for (let times = 1; times <= 2; times += 1) {
      expect((await send('/things/any', { key: '' })).status).toBe(200);
      expect(runs()).toBe(times);
    }
    const strict = openApp({ middleware: { required: true } });
    const answer = await strict.send('/things/any', { key: '' });
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'idempotency.key_required']);
    expect(strict.runs()).toBe(0);
    expect((await strict.send('/things/any', { key: '', method: 'GET' })).status).toBe(200);
  });

  test('that is malformed is refused, and so are two', async () => {
    const { send, runs } = openApp();
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
    const { app, idempotency, send } = openApp();
    app.post('/things/twice', idempotent(idempotency, { caller: () => 'ada' }), (c) =>
      c.text('ok'),
    );
    expect((await send('/things/twice')).status).toBe(200);
  });
});

describe('a store that is away', () => {
  const away = async () => {
    throw new StoreUnavailable({ retryAfterSeconds: 1 });
  };

  test('is a 503 and nothing is executed', async () => {
    const { send, runs } = openApp({ store: { claim: away } });
    const answer = await send('/things/any');
    expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '1']);
    expect(await codeOf(answer)).toBe('idempotency.unavailable');
    expect(runs()).toBe(0);
  });

  test('leaves nothing of an answer in the refusal that takes its place', async () => {
    const { json } = openApp({ store: { finish: async () => false } });
    const answer = await json('a');
    expect(answer.status).toBe(409);
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(answer.headers.has('Location')).toBe(false);
    expect(answer.headers.has('X-Request-Id')).toBe(true);
  });
});

test('Set-Cookie cannot be asked for, and other headers can', async () => {
  const { idempotency } = openApp();
  const caller = () => 'ada';
  expect(() => idempotent(idempotency, { caller, replayHeaders: ['Set-Cookie'] })).toThrow(
    TypeError,
  );
  const { json } = openApp({ middleware: { replayHeaders: ['X-Internal'] } });
  await json('a');
  const second = await json('a');
  expect(second.headers.get('X-Internal')).toBe('yes');
  expect(second.headers.has('Location')).toBe(false);
});

test('an empty caller is a mistake that nobody shares a key by', async () => {
  using executions = recordEvents(executed);
  const { send } = openApp({ middleware: { caller: () => '' } });
  expect((await send('/things/any')).status).toBe(500);
  expect(executions.events).toEqual([]);
});

test('the failures are described for OpenAPI', () => {
  expect(() =>
    operation({ id: 'x', summary: 'x', responses: {}, failures: [...idempotencyFailures] }),
  ).not.toThrow();
});
