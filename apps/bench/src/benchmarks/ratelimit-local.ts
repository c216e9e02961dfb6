import { systemClock } from '@svc/core';
import { createRateLimit, defineLimit } from '@svc/ratelimit';
import { redisStore } from '@svc/ratelimit/redis';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { type Benchmark, type Prepared, type Sample, WrongAnswer } from '../benchmark.ts';
import { startRedis } from '../ratelimit/redis-server.ts';

/** What is decided in the process: refusals that are remembered, and leased tokens. */
export const ratelimitLocal: Benchmark = {
  name: 'ratelimit-local',
  summary: 'decisions without a call to Redis, one after the other',
  reference: 'rate-limiter-flexible, denied',
  goals: [
    { variant: 'svc, denied', figure: 'rate', atLeast: 800_000 },
    { variant: 'svc, leased', figure: 'rate', atLeast: 1_000_000 },
  ],
  prepare,
};

async function prepare(): Promise<Prepared> {
  const server = await startRedis();
  const store = redisStore(await server.connect());
  const denying = createRateLimit({ store, storeTimeout: '5s' });
  const leasing = createRateLimit({ store, lease: { chunk: 10_000 }, storeTimeout: '5s' });
  const none = defineLimit({ name: 'one', algorithm: 'gcra', quota: 1, window: '1h' });
  const many = defineLimit({ name: 'many', algorithm: 'gcra', quota: 1_000_000_000, window: '1h' });
  const theirs = new RateLimiterRedis({
    storeClient: await server.connect(),
    points: 1,
    duration: 3600,
    inMemoryBlockOnConsumed: 1,
  });
  const key = '203.0.113.1';
  await denying.check([{ limit: none, key }]);
  await denying.check([{ limit: none, key }]);
  const isRefused = (): Promise<boolean> =>
    theirs.consume(key).then(
      () => false,
      () => true,
    );
  await isRefused();

  return {
    variants: [
      {
        name: 'svc, denied',
        run: (durationMs) =>
          oneByOne(durationMs, async () => {
            const { allowed, retryAfterMs } = await denying.check([{ limit: none, key }]);
            return !allowed && retryAfterMs !== null;
          }),
      },
      {
        name: 'rate-limiter-flexible, denied',
        run: (durationMs) => oneByOne(durationMs, isRefused),
      },
      {
        name: 'svc, leased',
        run: (durationMs) =>
          oneByOne(durationMs, async () => {
            const { allowed, degraded } = await leasing.check([{ limit: many, key }]);
            return allowed && !degraded;
          }),
      },
    ],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

/** A decision is too short to be timed by itself, so the clock is read once in a thousand. */
async function oneByOne(durationMs: number, isRight: () => Promise<boolean>): Promise<Sample> {
  const startedAt = systemClock.elapsedMs();
  let operations = 0;
  let elapsedMs = 0;
  for (; elapsedMs < durationMs; elapsedMs = systemClock.elapsedMs() - startedAt) {
    for (let i = 0; i < 1000; i += 1)
      if (!(await isRight())) throw new WrongAnswer('a decision was not the one that is due');
    operations += 1000;
  }
  return { operations, elapsedMs, latenciesMs: [] };
}
