import { systemClock } from '@svc/core';
import { testClock, noRedisServer } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Claim, memoryStore, StoreUnavailable } from '../src/index.ts';
import { idempotencyMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { redisStore } from '../src/stores/redis.ts';
import { describeIdempotencyStore } from '../src/testing.ts';
import { type ConnectedServer, startRedis } from './redis-server.ts';

// Leases run on the clock of the store's server, which tests cannot hold.
const wait = (ms: number) => systemClock.sleep(ms);
let tokens = 0;
const claimOf = (id: string, changes: Partial<Claim> = {}): Claim => ({
  id,
  fingerprint: 'f',
  token: `00000000-0000-7000-8000-${String((tokens += 1)).padStart(12, '0')}`,
  leaseMs: 60_000,
  ttlMs: 60_000,
  ...changes,
});
const answer = { status: 200, headers: [], body: new Uint8Array([1, 2, 3]) };

describeIdempotencyStore('memory', () => {
  const clock = testClock();
  const store = memoryStore({ clock });
  return { stores: [store, store], wait: (ms) => clock.advance(`${ms}ms`) };
});

describe('memory', () => {
  test('beyond its limit the oldest finished keys are forgotten, running ones never', async () => {
    const store = memoryStore({ maxKeys: 3 });
    const running = claimOf('running');
    await store.claim(running);
    for (const id of ['a', 'b', 'c']) {
      const claim = claimOf(id);
      await store.claim(claim);
      await store.finish(claim, answer);
    }
    const states = [];
    for (const id of ['running', 'c', 'a']) states.push((await store.claim(claimOf(id))).state);
    expect(states).toEqual(['running', 'finished', 'granted']);
    expect(() => memoryStore({ maxKeys: 0 })).toThrow(TypeError);
  });

  test('what a caller does to the bytes does not change what is kept', async () => {
    const store = memoryStore();
    const claim = claimOf('bytes');
    const body = new Uint8Array([1, 2, 3]);
    await store.claim(claim);
    await store.finish(claim, { ...answer, body });
    body[0] = 9;
    for (let times = 0; times < 2; times += 1) {
      const found = await store.claim(claimOf('bytes'));
      expect(found).toMatchObject({ result: { body: new Uint8Array([1, 2, 3]) } });
      (found as { result: { body: Uint8Array } }).result.body.fill(0);
    }
  });

  test('purging removes what is over and nothing else', async () => {
    const clock = testClock();
    const store = memoryStore({ clock });
    await store.claim(claimOf('short', { leaseMs: 1000, ttlMs: 1000 }));
    await store.claim(claimOf('long'));
    await clock.advance('2s');
    expect([await store.purge(), await store.purge()]).toEqual([1, 0]);
  });
});

for (const engine of ['postgres', 'pglite'] as const) {
  const databased = databaseTest([idempotencyMigrations], { engine });
  describe(engine, () => {
    let open: () => Parameters<typeof postgresStore>[0];
    databased.beforeAll(({ db }) => {
      open = () => db;
    });
    describeIdempotencyStore(engine, () => ({
      stores: [postgresStore(open()), postgresStore(open())],
      wait,
    }));

    databased('purging removes what is over and nothing else', async ({ db, database }) => {
      const store = postgresStore(db);
      await database.asOwner((trx) => trx.deleteFrom('svc_idempotency.keys').execute());
      for (let i = 0; i < 10; i += 1)
        await store.claim(claimOf(`short${i}`, { leaseMs: 20, ttlMs: 20 }));
      await store.claim(claimOf('long'));
      await wait(30);
      const purged = await Promise.all([store.purge(), store.purge(), store.purge()]);
      expect(purged.reduce((sum, each) => sum + each, 0)).toBe(10);
      expect(await store.claim(claimOf('long'))).toMatchObject({ state: 'running' });
    });
  });
}

// skipped because there is no redis-server on this machine
describe.skipIf(noRedisServer !== undefined)(
  `redis${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    let server: ConnectedServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    describeIdempotencyStore('redis', async () => ({
      stores: [redisStore(await server.connect()), redisStore(await server.connect())],
      wait,
    }));

    test('a server that has forgotten the scripts gets them again, and keys expire by themselves', async () => {
      const client = await server.connect();
      const store = redisStore(client, { prefix: 'mine:' });
      await client.script('FLUSH');
      const claim = claimOf('forgetful', { ttlMs: 30_000 });
      expect(await store.claim(claim)).toEqual({ state: 'granted' });
      await client.script('FLUSH');
      expect(await store.finish(claim, answer)).toBe(true);
      const ttl = await client.pttl('mine:forgetful');
      expect(ttl).toBeGreaterThan(20_000);
      expect(ttl).toBeLessThanOrEqual(30_000);
      expect(await store.purge()).toBe(0);
    });

    test('a server that is away is a clear failure', async () => {
      await using own = await startRedis();
      const client = await own.connect();
      const store = redisStore(client);
      own.kill('SIGKILL');
      await new Promise((resolve) => client.once('close', resolve));
      await expect(store.claim(claimOf('away'))).rejects.toBeInstanceOf(StoreUnavailable);
    });
  },
);
