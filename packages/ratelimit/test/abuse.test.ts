import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { ValidationFailed, failure } from '@svc/core';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { abuseGuard, abuseReports } from '../src/hono.ts';
import {
  type AbuseGuardOptions,
  type AbuseStore,
  abuseScored,
  blocked,
  createAbuseGuard,
  LimiterUnavailable,
  memoryAbuseStore,
  RateLimited,
  unblocked,
} from '../src/index.ts';

function openGuard(options: Partial<AbuseGuardOptions> = {}) {
  const clock = testClock();
  const store = memoryAbuseStore({ clock });
  const guard = createAbuseGuard({ store, clock, ...options });
  return { clock, store, guard };
}

test('what a caller does wrong adds up, slows it down, then blocks it, for a time', async () => {
  using scores = recordEvents(abuseScored);
  using blocks = recordEvents(blocked);
  const { guard, clock } = openGuard({ name: 'adds-up', slowAt: 10, blockAt: 20, blockFor: '10m' });
  expect(await guard.report('a', 'malformed')).toMatchObject({ score: 2, standing: 'good' });
  await guard.report('a', 'sign_in_failed');
  expect(await guard.report('a', 'oversized')).toMatchObject({ standing: 'slowed' });
  await guard.report('a', 'sign_in_failed');
  const status = await guard.report('a', 'oversized');
  expect(status).toMatchObject({ standing: 'blocked', blockedForMs: 600_000 });
  expect(await guard.status('b')).toMatchObject({ score: 0, standing: 'good' });
  expect(await guard.list()).toMatchObject([{ caller: 'a', blockedForMs: 600_000 }]);
  await clock.advance('10m');
  // Two half-lives later.
  expect(await guard.status('a')).toMatchObject({ score: 5.5, standing: 'good' });
  const mine = scores.events.filter(({ instance }) => instance === 'adds-up');
  expect(mine.map(({ payload }) => payload.signal)).toEqual([
    'malformed',
    'sign_in_failed',
    'oversized',
    'sign_in_failed',
    'oversized',
  ]);
  expect(blocks.events.filter(({ instance }) => instance === 'adds-up')).toEqual([
    { instance: 'adds-up', payload: { caller: 'a', forMs: 600_000, reason: 'score' } },
  ]);
});

test('of many reports at once one blocks', async () => {
  using blocks = recordEvents(blocked);
  const { guard } = openGuard({ name: 'at-once', slowAt: 10, blockAt: 20 });
  await Promise.all(Array.from({ length: 64 }, () => guard.report('a', 'oversized')));
  expect(blocks.events.filter(({ instance }) => instance === 'at-once')).toHaveLength(1);
});

test('a person blocks and lets in again; both are events and lines of the log', async () => {
  using blocks = recordEvents(blocked);
  using ends = recordEvents(unblocked);
  const logger = recordingLogger();
  const { guard } = openGuard({ name: 'by-hand', logger });
  await guard.block('a', '1h');
  expect(await guard.status('a')).toMatchObject({ standing: 'blocked' });
  expect(await guard.unblock('a')).toBe(true);
  expect(await guard.unblock('a')).toBe(false);
  expect(await guard.status('a')).toMatchObject({ standing: 'good', score: 0 });
  const mine = (events: readonly { instance: string }[]) =>
    events.filter(({ instance }) => instance === 'by-hand');
  expect(mine(blocks.events)).toMatchObject([{ payload: { reason: 'manual' } }]);
  expect(mine(ends.events)).toMatchObject([{ payload: { caller: 'a' } }]);
  expect(logger.lines).toHaveLength(2);
});

test('own signals have weights, others are mistakes', async () => {
  const { guard } = openGuard({ weights: { honeypot: 60, malformed: 0 } });
  expect(await guard.report('a', 'honeypot')).toMatchObject({ score: 60, standing: 'slowed' });
  expect(await guard.report('b', 'malformed')).toMatchObject({ score: 0 });
  await expect(guard.report('a', 'unheard_of')).rejects.toThrow(TypeError);
  await expect(guard.report('', 'malformed')).rejects.toThrow(TypeError);
  expect(() => openGuard({ slowAt: 20, blockAt: 10 })).toThrow(TypeError);
});

test('while its store is away everybody is in good standing, and nobody can be let in', async () => {
  const refuse = () => Promise.reject(new Error('away'));
  const store: AbuseStore = {
    isLocal: false,
    add: refuse,
    read: refuse,
    block: refuse,
    unblock: refuse,
    list: refuse,
  };
  const { guard } = openGuard({ store });
  expect(await guard.status('a')).toMatchObject({ standing: 'good' });
  expect(await guard.report('a', 'malformed')).toMatchObject({ standing: 'good' });
  await expect(guard.unblock('a')).rejects.toBeInstanceOf(LimiterUnavailable);
  await expect(guard.list()).rejects.toBeInstanceOf(LimiterUnavailable);
});

class WrongPassword extends failure('auth.invalid_credentials', 'unauthenticated', 'No.') {}

function openApp(options: Partial<AbuseGuardOptions> = {}) {
  const opened = openGuard(options);
  const { guard, clock } = opened;
  const caller = () => '192.0.2.1';
  const app = new Hono<HttpEnv>();
  app.use(abuseReports(guard, { caller }));
  stack(app, { bodyLimit: { maxBytes: 10 } });
  app.use(abuseGuard(guard, { caller, clock, maxSlowed: 1 }));
  app.get('/ok', (c) => c.text('ok'));
  app.get('/missing', (c) => c.text('no such project', 404));
  app.get('/limited', () => {
    throw new RateLimited({ retryAfterMs: 1, policies: ['x'] });
  });
  app.post('/login', () => {
    throw new WrongPassword();
  });
  app.post('/form', () => {
    throw new ValidationFailed([]);
  });
  return { ...opened, app, score: async () => (await guard.status('192.0.2.1')).score };
}

test('answers are counted by what they say of the caller, each once', async () => {
  const { app, score } = openApp({ blockAt: 1000 });
  const post = (path: string, body: string) => app.request(path, { method: 'POST', body });
  const seen: [string, number, number][] = [];
  let before = 0;
  for (const [what, send] of [
    ['ok', () => app.request('/ok')],
    ["a handler's 404", () => app.request('/missing')],
    ['invalid input', () => post('/form', 'x')],
    ['rate limited', () => app.request('/limited')],
    ['unknown route', () => app.request('/wp-login.php')],
    ['broken address', () => app.request('/%zz')],
    ['sign-in failed', () => post('/login', 'x')],
    [
      'oversized',
      () =>
        app.request('/form', {
          method: 'POST',
          body: 'x'.repeat(99),
          headers: { 'content-length': '99' },
        }),
    ],
  ] as const) {
    const { status } = await send();
    const after = await score();
    seen.push([what, status, after - before]);
    before = after;
  }
  expect(seen).toEqual([
    ['ok', 200, 0],
    ["a handler's 404", 404, 0],
    ['invalid input', 400, 0],
    ['rate limited', 429, 1],
    ['unknown route', 404, 2],
    ['broken address', 400, 2],
    ['sign-in failed', 401, 5],
    ['oversized', 413, 5],
  ]);
});

test('a blocked caller is refused with 403 and told when it ends, and being refused does not prolong it', async () => {
  const { app, guard, clock, score } = openApp();
  await guard.block('192.0.2.1', '90500ms');
  const answer = await app.request('/ok');
  expect(answer.status).toBe(403);
  expect(answer.headers.get('retry-after')).toBe('91');
  expect(await answer.json()).toMatchObject({
    code: 'ratelimit.caller_blocked',
    problemType: 'https://iana.org/assignments/http-problem-types#abnormal-usage-detected',
  });
  expect(await score()).toBe(0);
  await clock.advance('90500ms');
  expect((await app.request('/ok')).status).toBe(200);
});

test('a slowed caller waits, and who waits too much at once is refused with 429', async () => {
  const { app, guard, clock } = openApp({ slowAt: 4 });
  await guard.report('192.0.2.1', 'oversized');
  let answered = false;
  const waiting = Promise.resolve(app.request('/ok')).then((answer) => {
    answered = true;
    return answer;
  });
  await clock.advance('999ms');
  expect(answered).toBe(false);
  const second = await app.request('/ok');
  expect([second.status, second.headers.get('retry-after')]).toEqual([429, '1']);
  await clock.advance('1ms');
  expect((await waiting).status).toBe(200);
});

test('a page of another site gets nobody blocked but requests of its kind', async () => {
  const { app, guard, clock } = openApp({ slowAt: 19, blockAt: 20 });
  const foreign = { 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' };
  const link = { ...foreign, 'sec-fetch-dest': 'document' };
  const get = async (path: string, headers: Record<string, string> = {}) =>
    (await app.request(path, { headers })).status;
  for (let sent = 0; sent < 10; sent += 1) expect(await get('/no-such', foreign)).toBe(404);
  expect(await get('/ok', foreign)).toBe(403);
  expect([await get('/ok'), await get('/ok', link)]).toEqual([200, 200]);
  expect(await get('/ok', { 'sec-fetch-site': 'same-origin' })).toBe(200);
  expect(await guard.list()).toMatchObject([
    { caller: '192.0.2.1 cross-site', standing: 'blocked' },
  ]);
  // Nor does saying so help who is blocked.
  await clock.advance('1h');
  await guard.block('192.0.2.1', '1h');
  for (const headers of [{}, foreign, link]) expect(await get('/ok', headers)).toBe(403);
});
