import { recordEvents, testClock } from '@svc/core/testing';
import { expect, test } from 'vitest';
import {
  CostTooHigh,
  createRateLimit,
  defineLimit,
  exceeded,
  memoryStore,
  RateLimited,
  type RateLimitOptions,
  type RateLimitStore,
  shadowExceeded,
} from '../src/index.ts';

const perMinute = (quota: number, name = 'l') =>
  defineLimit({ name, algorithm: 'sliding_window', quota, window: '1m' });

/** A memory store that is not taken for local, and counts how often it is asked. */
function openRemote(options: Partial<RateLimitOptions> = {}) {
  const clock = testClock();
  const inner = memoryStore({ clock });
  const asked = { calls: 0, claims: 0 };
  const store: RateLimitStore = {
    isLocal: false,
    async consume(claims) {
      asked.calls += 1;
      asked.claims += claims.length;
      return inner.consume(claims);
    },
  };
  return { clock, asked, store, limits: createRateLimit({ store, clock, ...options }) };
}

test('what is refused says when to come back, in seconds rounded up', async () => {
  const { limits, clock } = openRemote();
  const limit = perMinute(2);
  await limits.enforce([{ limit, key: 'a' }]);
  await clock.advance('10s');
  await limits.enforce([{ limit, key: 'a' }]);
  const refused = await limits.check([{ limit, key: 'a' }]);
  expect(refused).toEqual({
    allowed: false,
    retryAfterMs: 50_000,
    degraded: false,
    limits: [
      {
        name: 'l',
        quota: 2,
        windowMs: 60_000,
        remaining: 0,
        resetAfterMs: 60_000,
        retryAfterMs: 50_000,
        violated: true,
        shadow: false,
      },
    ],
  });
  await clock.advance('1ms');
  const failure = await limits.enforce([{ limit, key: 'a' }]).catch((error) => error);
  expect(failure).toBeInstanceOf(RateLimited);
  // 49.999 s, rounded up: never earlier than the limit frees.
  expect(failure.details).toMatchObject({
    retryAfterSeconds: 50,
    violatedPolicies: ['l'],
    problemType: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  });
});

test('four limits are one call to the store, and none is consumed when one refuses', async () => {
  const { limits, asked } = openRemote();
  const all = [5, 1, 7, 9].map((quota, i) => ({ limit: perMinute(quota, `l${i}`), key: 'a' }));
  expect((await limits.check(all)).allowed).toBe(true);
  expect((await limits.check(all)).allowed).toBe(false);
  expect(asked).toEqual({ calls: 2, claims: 8 });
  const look = await limits.check(all.map((each) => ({ ...each, cost: 0 })));
  expect(look.limits.map(({ remaining }) => remaining)).toEqual([4, 0, 6, 8]);
});

test('a caller who hammers on costs the store nothing until the limit frees', async () => {
  using events = recordEvents(exceeded);
  const { limits, asked, clock } = openRemote({ name: 'hammered' });
  const limit = perMinute(1);
  const ask = () => limits.check([{ limit, key: 'a' }]);
  await ask();
  for (let i = 0; i < 100; i += 1) expect((await ask()).allowed).toBe(false);
  expect(asked.calls).toBe(2);
  await clock.advance('30s');
  expect((await ask()).retryAfterMs).toBe(30_000);
  expect(asked.calls).toBe(2);
  await clock.advance('30s');
  expect((await ask()).allowed).toBe(true);
  const mine = events.events.filter(({ instance }) => instance === 'hammered');
  expect(mine).toHaveLength(101);
  expect(mine.map(({ payload }) => payload.cached)).toEqual([
    false,
    ...Array.from({ length: 100 }, () => true),
  ]);
});

test('a remembered refusal does not hold for a smaller cost, nor for a larger quota', async () => {
  const { limits } = openRemote();
  const ask = (cost: number, quota = 10) =>
    limits.check([{ limit: perMinute(quota), key: 'a', cost }]);
  await ask(8);
  expect((await ask(5)).allowed).toBe(false);
  expect((await ask(6)).allowed).toBe(false);
  expect((await ask(3, 12)).allowed).toBe(true);
  expect((await ask(2)).allowed).toBe(false);
  expect((await ask(1, 12)).allowed).toBe(true);
});

test('the memory of refusals is bounded', async () => {
  const { limits, asked } = openRemote({ denyCache: { maxKeys: 2 } });
  const limit = perMinute(1);
  const ask = (key: string) => limits.check([{ limit, key }]);
  for (const key of ['a', 'b', 'c']) {
    await ask(key);
    await ask(key);
  }
  expect(asked.calls).toBe(6);
  await ask('c');
  await ask('b');
  expect(asked.calls).toBe(6);
  await ask('a');
  expect(asked.calls).toBe(7);
});

test('what costs more than a limit ever allows is refused for ever, and consumes nothing', async () => {
  const { limits, asked } = openRemote();
  const gcra = defineLimit({ name: 'g', algorithm: 'gcra', quota: 100, burst: 5, window: '1m' });
  const tooMuch = limits.check([
    { limit: perMinute(10), key: 'a' },
    { limit: gcra, key: 'a', cost: 6 },
  ]);
  await expect(tooMuch).rejects.toBeInstanceOf(CostTooHigh);
  await expect(tooMuch).rejects.toMatchObject({
    code: 'ratelimit.cost_too_high',
    details: { violatedPolicies: ['g'] },
  });
  expect(asked.calls).toBe(0);
});

test('a limit in shadow mode reports and refuses nothing', async () => {
  using events = recordEvents(shadowExceeded);
  const { limits } = openRemote({ name: 'shadowed' });
  const limit = { ...perMinute(1, 'new'), shadow: true };
  for (let i = 0; i < 3; i += 1) {
    const { allowed, limits: states } = await limits.check([{ limit, key: 'a' }]);
    expect(allowed).toBe(true);
    expect(states[0]).toMatchObject({ shadow: true, violated: i > 0 });
  }
  expect((await limits.check([{ limit, key: 'a', cost: 99 }])).allowed).toBe(true);
  const mine = events.events.filter(({ instance }) => instance === 'shadowed');
  expect(mine.map(({ payload }) => payload.limit)).toEqual(['new', 'new', 'new']);
});

test('a plan that changes takes effect at once, with what is used', async () => {
  const { limits } = openRemote();
  const ask = (quota: number) => limits.check([{ limit: perMinute(quota), key: 'tenant' }]);
  for (let i = 0; i < 3; i += 1) await ask(3);
  expect((await ask(3)).allowed).toBe(false);
  expect((await ask(5)).limits[0]).toMatchObject({ violated: false, remaining: 1 });
  expect((await ask(3)).allowed).toBe(false);
});

test('memory stays bounded, whatever keys are invented', async () => {
  const clock = testClock();
  const store = memoryStore({ maxKeys: 100, clock });
  const limits = createRateLimit({ store, clock });
  const limit = perMinute(1);
  await limits.check([{ limit, key: 'known' }]);
  for (let i = 0; i < 5000; i += 1) {
    await limits.check([{ limit, key: `invented ${i}` }]);
    // Who keeps coming is not forgotten for strangers.
    expect((await limits.check([{ limit, key: 'known' }])).allowed).toBe(false);
  }
  expect(store.size).toBeLessThanOrEqual(100);
  await clock.advance('2m');
  for (let i = 0; i < 60; i += 1) await limits.check([{ limit, key: `later ${i}` }]);
  expect(store.size).toBe(60);
});

test.each([
  [{ name: 'Bad Name' }, 'the name of a limit'],
  [{ quota: 0 }, 'quota is'],
  [{ quota: 1.5 }, 'quota is'],
  [{ window: '0ms' }, 'window is'],
  [{ window: '400d' }, 'window is'],
  [{ window: '0.5ms' }, 'window is'],
  [{ burst: 0 }, 'burst is'],
  [{ algorithm: 'token_bucket' }, 'algorithm is'],
  [{ algorithm: 'fixed_window', burst: 2 }, 'only gcra has a burst'],
  [{ whenUnavailable: 'maybe' }, 'whenUnavailable is'],
  [{ quota: 1_000_000_000, window: '366d' }, '2^53'],
])('a limit with %j is a mistake', (changes, message) => {
  const limit = { name: 'l', algorithm: 'gcra', quota: 5, window: '1s', ...changes };
  expect(() => defineLimit(limit as Parameters<typeof defineLimit>[0])).toThrow(message);
});

test('a limit that was not defined is looked through at every check', async () => {
  const { limits } = openRemote();
  const limit = { name: 'l', algorithm: 'gcra' as const, quota: 5, window: '1s' as const };
  await limits.check([{ limit, key: 'a' }]);
  limit.quota = 0;
  await expect(limits.check([{ limit, key: 'a' }])).rejects.toThrow(TypeError);
});
