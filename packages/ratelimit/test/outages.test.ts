import { systemClock } from '@svc/core';
import { recordEvents, recordingLogger, noRedisServer } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createRateLimit,
  defineLimit,
  LimiterUnavailable,
  memoryStore,
  type RateLimitStore,
  storeDown,
  storeUp,
  type WhenUnavailable,
} from '../src/index.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { redisStore } from '../src/stores/redis.ts';
import { type ConnectedServer, startRedis } from './redis-server.ts';

const limitOf = (whenUnavailable: WhenUnavailable) =>
  defineLimit({
    name: whenUnavailable,
    algorithm: 'gcra',
    quota: 3,
    window: '1h',
    whenUnavailable,
  });

/** How much longer than 50 ms the slowest of many decisions took, beyond what a timer of 40 ms took at the same time. */
async function decideMany(count: number, decide: () => Promise<unknown>) {
  let lateMs = 0;
  const results: unknown[] = [];
  for (let i = 0; i < count; i += 1) {
    const startedAt = systemClock.elapsedMs();
    const since = () => systemClock.elapsedMs() - startedAt;
    const [tookMs, timerMs] = await Promise.all([
      decide()
        .catch((error: unknown) => error)
        .then((result) => (results.push(result), since())),
      systemClock.sleep(40).then(since),
    ]);
    lateMs = Math.max(lateMs, tookMs - Math.max(50, timerMs + 10));
  }
  return { lateMs, results };
}

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `a Redis that goes away (${noRedisServer ?? 'its own'})`,
  () => {
    let server: ConnectedServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server[Symbol.asyncDispose]());

    const open = async (name: string) => {
      const logger = recordingLogger();
      const client = await server.connect();
      const store = redisStore(client, { prefix: `${name}:` });
      const limits = createRateLimit({ store, logger, name, retryStoreEvery: '100ms' });
      return { limits, logger, client };
    };
    const backAgain = async (check: () => Promise<{ degraded: boolean }>) => {
      for (let tries = 0; (await check()).degraded; tries += 1) {
        if (tries > 200) throw new Error('the store did not come back');
        await systemClock.sleep(20);
      }
    };

    test.each([
      ['stopped', 'SIGSTOP'],
      ['killed', 'SIGKILL'],
    ] as const)('%s: each limit goes by its policy, within 50 ms', async (name, signal) => {
      using down = recordEvents(storeDown);
      using up = recordEvents(storeUp);
      const { limits, logger } = await open(name);
      const ask = (mode: WhenUnavailable) => limits.check([{ limit: limitOf(mode), key: 'a' }]);
      expect(await ask('local')).toMatchObject({ degraded: false, limits: [{ remaining: 2 }] });
      server.kill(signal);

      const open_ = await decideMany(10, () => ask('open'));
      const closed = await decideMany(10, () => ask('closed'));
      const local = await decideMany(10, () => ask('local'));
      for (const { lateMs } of [open_, closed, local]) expect(lateMs).toBeLessThanOrEqual(0);
      for (const result of open_.results)
        expect(result).toMatchObject({ allowed: true, degraded: true });
      for (const result of closed.results) expect(result).toBeInstanceOf(LimiterUnavailable);
      const allowed = local.results.map((each) => (each as { allowed: boolean }).allowed);
      expect(allowed.filter(Boolean)).toHaveLength(3);

      if (signal === 'SIGSTOP') server.kill('SIGCONT');
      else await server.start();
      await backAgain(() => ask('open'));
      expect(await ask('open')).toMatchObject({ degraded: false });
      const mine = (events: { instance: string }[]) =>
        events.filter(({ instance }) => instance === name);
      expect(mine([...down.events])).toHaveLength(1);
      expect(mine([...up.events])).toHaveLength(1);
      expect(logger.lines.map(({ level, message }) => [level, message])).toEqual([
        ['warn', 'the rate limit store does not answer'],
        ['info', 'the rate limit store answers again'],
      ]);
    });

    test('what is leased is still decided on while it is away', async () => {
      const client = await server.connect();
      const store = redisStore(client, { prefix: 'leased:' });
      const limits = createRateLimit({ store, lease: { chunk: 5 } });
      const limit = { ...limitOf('closed'), quota: 100 };
      await limits.check([{ limit, key: 'a' }]);
      server.kill('SIGSTOP');
      for (let i = 0; i < 4; i += 1)
        expect(await limits.check([{ limit, key: 'a' }])).toMatchObject({ degraded: false });
      await expect(limits.check([{ limit, key: 'a' }])).rejects.toBeInstanceOf(LimiterUnavailable);
      server.kill('SIGCONT');
    });
  },
);

test('one slow answer is no outage', async () => {
  const logger = recordingLogger();
  const inner = memoryStore();
  let calls = 0;
  const store: RateLimitStore = {
    isLocal: false,
    async consume(claims) {
      calls += 1;
      if (calls === 1) await systemClock.sleep(80);
      return inner.consume(claims);
    },
  };
  const limits = createRateLimit({ store, logger });
  const ask = () => limits.check([{ limit: limitOf('open'), key: 'a' }]);
  expect(await ask()).toMatchObject({ allowed: true, degraded: true });
  expect(await ask()).toMatchObject({ allowed: true, degraded: false });
  expect(logger.lines).toEqual([]);
});

test('a limit that must be counted refuses, whatever the others say; a shadow never does', async () => {
  const store: RateLimitStore = {
    isLocal: false,
    consume: () => Promise.reject(new Error('secret words')),
  };
  const logger = recordingLogger();
  const limits = createRateLimit({ store, logger, whenUnavailable: 'closed' });
  const open_ = { limit: limitOf('open'), key: 'a' };
  const unsaid = defineLimit({ name: 'u', algorithm: 'gcra', quota: 1, window: '1s' });
  await expect(limits.check([open_, { limit: unsaid, key: 'a' }])).rejects.toMatchObject({
    code: 'ratelimit.unavailable',
    kind: 'unavailable',
    details: { retryAfterSeconds: 1 },
  });
  const shadow = { ...unsaid, name: 's', shadow: true };
  expect(await limits.check([open_, { limit: shadow, key: 'a' }])).toMatchObject({ allowed: true });
  await limits.check([open_]);
  expect(JSON.stringify(logger.lines)).not.toContain('secret');
});

// No migrations: the function is missing, as it is where somebody forgot them.
const bare = databaseTest([]);
bare('a database that refuses is an outage, too', async ({ db }) => {
  const logger = recordingLogger();
  const limits = createRateLimit({ store: postgresStore(db), logger });
  for (let i = 0; i < 5; i += 1)
    expect(await limits.check([{ limit: limitOf('open'), key: 'a' }])).toMatchObject({
      degraded: true,
    });
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]?.fields).toMatchObject({ instance: 'ratelimit' });
});
