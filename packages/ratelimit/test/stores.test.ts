import { systemClock } from '@svc/core';
import { testClock, noRedisServer } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { memoryAbuseStore, memoryStore } from '../src/index.ts';
import { ratelimitMigrations } from '../src/migrations.ts';
import { postgresAbuseStore, postgresStore } from '../src/stores/postgres.ts';
import { redisAbuseStore, redisStore } from '../src/stores/redis.ts';
import { describeAbuseStore, describeRateLimitStore } from '../src/testing.ts';
import { type ConnectedServer, startRedis } from './redis-server.ts';

const real = { wait: (ms: number) => systemClock.sleep(ms), elapsedMs: systemClock.elapsedMs };

describeRateLimitStore('memory', () => {
  const clock = testClock();
  const store = memoryStore({ clock });
  return {
    stores: [store, store],
    wait: (ms) => clock.advance(`${ms}ms`),
    elapsedMs: clock.elapsedMs,
  };
});

describeAbuseStore('memory', () => {
  const clock = testClock();
  return { store: memoryAbuseStore({ clock }), wait: (ms) => clock.advance(`${ms}ms`) };
});

for (const engine of ['postgres', 'pglite'] as const) {
  const databased = databaseTest([ratelimitMigrations], { engine });
  describe(engine, () => {
    let open: () => Parameters<typeof postgresStore>[0];
    databased.beforeAll(({ db }) => {
      open = () => db;
    });
    describeRateLimitStore(engine, () => ({
      stores: [postgresStore(open()), postgresStore(open())],
      ...real,
    }));
    describeAbuseStore(engine, () => ({ store: postgresAbuseStore(open()), ...real }));

    databased('what says nothing any more is purged, and nothing else', async ({ db }) => {
      const store = postgresStore(db);
      await store.purge();
      const claim = { algorithm: 'gcra', quota: 1, capacity: 1, cost: 1, shadow: false } as const;
      await store.consume([{ ...claim, key: 'short', windowMs: 20 }]);
      await store.consume([{ ...claim, key: 'long', windowMs: 3_600_000 }]);
      await systemClock.sleep(30);
      expect(await store.purge()).toBeGreaterThanOrEqual(1);
      expect(await store.purge()).toBe(0);
      const [outcome] = await store.consume([{ ...claim, key: 'long', windowMs: 3_600_000 }]);
      expect(outcome?.hasRoom).toBe(false);
      const callers = postgresAbuseStore(db);
      await callers.add('short', 0.02, 1);
      await systemClock.sleep(30);
      expect(await callers.purge()).toBeGreaterThanOrEqual(1);
    });
  });
}

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `redis${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    let server: ConnectedServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    describeRateLimitStore('redis', async () => ({
      stores: [redisStore(await server.connect()), redisStore(await server.connect())],
      ...real,
    }));
    describeRateLimitStore('redis, each check by itself', async () => {
      const client = await server.connect();
      const store = redisStore(client, { batch: false });
      return { stores: [store, store], ...real };
    });
    describeAbuseStore('redis', async () => ({
      store: redisAbuseStore(await server.connect()),
      ...real,
    }));

    test('a server that has forgotten the script gets it again', async () => {
      const client = await server.connect();
      const store = redisStore(client);
      const claim = {
        key: 'forgetful',
        algorithm: 'gcra',
        quota: 5,
        capacity: 5,
        cost: 1,
        shadow: false,
        windowMs: 60_000,
      } as const;
      await store.consume([claim]);
      await client.script('FLUSH');
      expect(await store.consume([claim])).toMatchObject([{ hasRoom: true, remaining: 3 }]);
    });

    test('keys expire when they say nothing any more', async () => {
      const client = await server.connect();
      const store = redisStore(client, { prefix: 'expiring:' });
      const base = { quota: 5, capacity: 5, cost: 1, shadow: false, windowMs: 60_000 };
      for (const algorithm of ['gcra', 'sliding_window', 'fixed_window'] as const)
        await store.consume([{ ...base, algorithm, key: algorithm }]);
      const ttls = await Promise.all(
        ['gcra', 'sliding_window', 'fixed_window'].map((key) => client.pttl(`expiring:${key}`)),
      );
      expect(ttls[0]).toBeLessThanOrEqual(12_000);
      for (const ttl of ttls) {
        expect(ttl).toBeGreaterThan(0);
        expect(ttl).toBeLessThanOrEqual(60_000);
      }
    });
  },
);
