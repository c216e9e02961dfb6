import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { systemClock, uuidv7 } from '@svc/core';
import { noRedisServer, recordingLogger } from '@svc/core/testing';
import { type Db, transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { completed, createJobs } from '../src/index.ts';
import { outboxMigrations } from '../src/migrations.ts';
import { redisStore, withOutbox } from '../src/stores/redis.ts';
import { countedTask, effects } from './counted-task.ts';
import { nextEvent, open, task, until } from './open-jobs.ts';
import { type ConnectedServer, startRedis } from './redis-server.ts';

const test = databaseTest([outboxMigrations, effects]);
const program = (name: string) => fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url));
const startProgram = (name: string, ...words: string[]) =>
  spawn(process.execPath, ['--conditions=@svc/source', program(name), ...words]);
const rowsLeft = async (db: Db) => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from svc_jobs_outbox.jobs`.execute(db);
  return rows[0]?.count;
};

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `an outbox of jobs in Redis${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    let server: ConnectedServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server[Symbol.asyncDispose]());
    /** Jobs in a part of Redis of their own. */
    const openOutbox = async (db: Db, prefix = uuidv7()) =>
      withOutbox(redisStore(await server.connect(), { prefix }), db);

    test('what is enqueued in a transaction runs after its commit, at once', async ({ db }) => {
      const greet = task();
      const store = await openOutbox(db);
      const poll = { first: '10s', longest: '10s' } as const;
      await using queue = open(db, [greet], { poll, queue: { store } });
      await queue.worker.drained();
      const seen = nextEvent(completed, (event) => event.task === greet.name);
      let committedAtMs = 0;
      await transact(db, async (trx) => {
        await queue.jobs.enqueue(greet, { n: 1 }, { within: trx });
        await store.relay();
        expect((await queue.jobs.stats()).tasks).toEqual({});
        committedAtMs = systemClock.elapsedMs();
      });
      await seen;
      expect(systemClock.elapsedMs() - committedAtMs).toBeLessThan(2000);
      await until(async () => (await rowsLeft(db)) === 0);
    });

    test('a worker that has only Redis in common with who enqueued is woken when it is moved', async ({
      db,
    }) => {
      const greet = task();
      const prefix = uuidv7();
      const bare = redisStore(await server.connect(), { prefix });
      const poll = { first: '10s', longest: '10s' } as const;
      await using queue = open(db, [greet], { poll, queue: { store: bare } });
      await queue.worker.drained();
      await systemClock.sleep(100);
      const own = redisStore(await server.connect(), { prefix });
      const slow: typeof own = {
        ...own,
        // After the commit has called everybody.
        move: async (...words) => systemClock.sleep(300).then(() => own.move(...words)),
      };
      const jobs = createJobs({ store: withOutbox(slow, db), tasks: [greet] });
      const seen = nextEvent(completed, (event) => event.task === greet.name);
      const beganAtMs = systemClock.elapsedMs();
      await transact(db, (trx) => jobs.enqueue(greet, { n: 1 }, { within: trx }));
      await seen;
      expect(systemClock.elapsedMs() - beganAtMs).toBeLessThan(3000);
    });

    test('what is rolled back is nowhere', async ({ db }) => {
      const greet = task();
      const store = await openOutbox(db);
      const jobs = createJobs({ store, tasks: [greet] });
      const failing = transact(db, async (trx) => {
        await jobs.enqueue(greet, { n: 1 }, { within: trx });
        throw new Error('rolled back');
      });
      await expect(failing).rejects.toThrow('rolled back');
      expect(await store.relay()).toBe(0);
      expect((await jobs.stats()).tasks).toEqual({});
      expect(await rowsLeft(db)).toBe(0);
    });

    test('jobs come to Redis as they are, in order, and of one unique key one', async ({ db }) => {
      const greet = task();
      const store = await openOutbox(db);
      const jobs = createJobs({ store, tasks: [greet] });
      const runAt = new Date('2100-01-01T00:00:00Z');
      const ids = await transact(db, async (trx) => {
        const many = Array.from({ length: 1100 }, (_, n) => ({ payload: { n } }));
        const all = await jobs.enqueueMany(greet, many, { within: trx });
        const options = { within: trx, uniqueKey: 'key', tenantId: 'ä', priority: 0 };
        const unique = await jobs.enqueue(greet, { n: -1 }, { ...options, runAt });
        await jobs.enqueue(greet, { n: -2 }, options);
        return [...all, unique].map(({ id }) => id);
      });
      await until(async () => (await rowsLeft(db)) === 0);
      const claim = { lease: uuidv7(), worker: 'w', max: 2000, leaseMs: 60_000 };
      const taken = await store.claim({ ...claim, tasks: undefined, limits: undefined });
      expect(taken.jobs.map(({ id }) => id)).toEqual(ids.slice(0, 1100));
      expect(await jobs.get(ids[1100] as string)).toMatchObject({
        state: 'scheduled',
        runAt,
        tenantId: 'ä',
        priority: 0,
        payload: { n: -1 },
        uniqueKey: 'key',
      });
      expect((await jobs.stats()).tasks[greet.name]).toEqual({ running: 1100, scheduled: 1 });
    });

    test('a job comes after others of its transaction, of whom there are many', async ({ db }) => {
      const [part, report] = [task(), task()];
      const store = await openOutbox(db);
      await using queue = open(db, [part, report], { queue: { store }, concurrency: 100 });
      const id = await transact(db, async (within) => {
        const parts = Array.from({ length: 700 }, (_, n) => ({ payload: { n } }));
        const batch = await queue.jobs.enqueueMany(part, parts, { within });
        const after = batch.map((job) => job.id);
        return (await queue.jobs.enqueue(report, { n: -1 }, { within, after })).id;
      });
      await until(async () => (await queue.jobs.get(id))?.state === 'done');
      expect(await queue.jobs.awaited(id)).toEqual({ open: 0, done: 700, dead: 0, cancelled: 0 });
    });

    test('a job after one that is not there when it is moved is a dead letter, and stops nobody', async ({
      db,
    }) => {
      const greet = task();
      const jobs = createJobs({ store: await openOutbox(db), tasks: [greet] });
      const { id: holder } = await jobs.enqueue(greet, { n: 0 }, { uniqueKey: 'key' });
      const { dropped, waiting, next, last } = await transact(db, async (within) => {
        const { id: dropped } = await jobs.enqueue(greet, { n: 1 }, { within, uniqueKey: 'key' });
        const after = [holder, dropped];
        const { id: waiting } = await jobs.enqueue(
          greet,
          { n: 2 },
          { within, after, onFailure: 'run' },
        );
        const { id: next } = await jobs.enqueue(greet, { n: 3 }, { within, after: [waiting] });
        return { dropped, waiting, next, last: await jobs.enqueue(greet, { n: 4 }, { within }) };
      });
      await until(async () => (await rowsLeft(db)) === 0);
      const message = `There was no record any more of the job ${dropped} that it waits for.`;
      expect(await jobs.get(waiting)).toMatchObject({ state: 'dead', errors: [{ message }] });
      expect(await jobs.awaited(waiting)).toEqual({ open: 1, done: 0, dead: 1, cancelled: 0 });
      expect(await jobs.get(next)).toMatchObject({ state: 'waiting' });
      expect(await jobs.get(last.id)).toMatchObject({ state: 'ready' });
      // Whoever replays it knows: it waits for the rest.
      expect(await jobs.replayDead({ ids: [waiting] })).toBe(1);
      expect(await jobs.get(waiting)).toMatchObject({ state: 'waiting' });
      await jobs.cancel(holder);
      expect(await jobs.get(waiting)).toMatchObject({ state: 'ready' });
    });

    test('outside a transaction a job comes after one that is in the outbox still', async ({
      db,
    }) => {
      const greet = task();
      const prefix = uuidv7();
      const bare = redisStore(await server.connect(), { prefix });
      const mute = { ...bare, move: () => Promise.reject(new Error('dead')) };
      const died = createJobs({ store: withOutbox(mute, db), tasks: [greet] });
      const { id } = await transact(db, (within) => died.enqueue(greet, { n: 1 }, { within }));
      const jobs = createJobs({ store: await openOutbox(db, prefix), tasks: [greet] });
      const next = await jobs.enqueue(greet, { n: 2 }, { after: [id] });
      expect(await jobs.get(next.id)).toMatchObject({ state: 'waiting' });
      const missing = uuidv7();
      await expect(jobs.enqueue(greet, { n: 3 }, { after: [missing] })).rejects.toMatchObject({
        code: 'jobs.not_found',
        details: { missing: [missing] },
      });
    });

    test('a job cannot be completed, cancelled or retried in a transaction, and that is said', async ({
      db,
    }) => {
      const write = task({ run: (_, context) => context.transact(async () => {}), maxAttempts: 1 });
      await using queue = open(db, [write], { queue: { store: await openOutbox(db) } });
      const { id } = await queue.jobs.enqueue(write, { n: 1 });
      await until(async () => (await queue.jobs.get(id))?.state === 'dead');
      const message = 'a job of this store cannot be completed in a transaction';
      expect((await queue.jobs.get(id))?.errors).toMatchObject([{ message }]);
      await transact(db, async (within) => {
        await expect(queue.jobs.retry(id, { within })).rejects.toThrow(TypeError);
        await expect(queue.jobs.cancel(id, { within })).rejects.toThrow(TypeError);
      });
      expect(await queue.jobs.get(id)).toMatchObject({ state: 'dead' });
    });

    test('a relay that is killed between Redis and its commit leaves each job to run once', async ({
      db,
      database,
    }) => {
      const prefix = uuidv7();
      const runs: number[] = [];
      const counted = countedTask(({ n }) => void runs.push(n));
      const url = database.urls?.url ?? '';
      const killed = startProgram('relay-killed', url, String(server.port), prefix);
      const [code, signal] = await once(killed, 'close');
      expect([code, signal]).toEqual([null, 'SIGKILL']);
      expect(await rowsLeft(db)).toBe(3);
      // No record is kept: what ran before the rows are moved again can be known by their ids alone.
      const bare = redisStore(await server.connect(), { prefix });
      await using queue = open(db, [counted], { queue: { store: bare, keepDone: false } });
      await until(() => runs.length === 3);
      await queue.worker.drained();
      const store = await openOutbox(db, prefix);
      expect(await store.relay()).toBe(3);
      expect(await rowsLeft(db)).toBe(0);
      await queue.worker.drained();
      expect(runs.toSorted()).toEqual([0, 1, 2]);
    });

    test('of processes that are killed at any moment each job that was committed runs, once', async ({
      db,
      database,
    }) => {
      const prefix = uuidv7();
      const runs: number[] = [];
      const counted = countedTask(({ n }) => void runs.push(n));
      const queue = { store: await openOutbox(db, prefix), keepDone: false } as const;
      await using working = open(db, [counted], { queue });
      const url = database.urls?.url ?? '';
      for (let round = 0; round < 6; round += 1) {
        const first = String(round * 1_000_000);
        const victim = startProgram('enqueue-outbox', url, String(server.port), prefix, first);
        await once(victim.stdout, 'data');
        await systemClock.sleep(150 + round * 50);
        victim.kill('SIGKILL');
        await once(victim, 'close');
      }
      const committed = async () =>
        (await sql<{ n: number }>`select n from effects.runs order by n`.execute(db)).rows.map(
          ({ n }) => n,
        );
      // What the server was committing when the last one was killed is there in a moment.
      await systemClock.sleep(100);
      await until(async () => (await rowsLeft(db)) === 0);
      await working.worker.drained();
      const expected = await committed();
      expect(expected.length).toBeGreaterThan(20);
      expect(runs.toSorted((a, b) => a - b)).toEqual(expected);
    });

    test('a relay that another has followed is refused', async ({ db }) => {
      const greet = task();
      const store = redisStore(await server.connect(), { prefix: uuidv7() });
      const jobs = createJobs({ store: withOutbox(store, db), tasks: [greet] });
      await transact(db, (trx) => jobs.enqueue(greet, { n: 1 }, { within: trx }));
      await until(async () => (await rowsLeft(db)) === 0);
      const late = store.move([], { term: 0, settled: [] });
      await expect(late).rejects.toThrow(/STALE/);
    });

    test('what was left by a process that died after its commit is moved by any worker', async ({
      db,
    }) => {
      const greet = task();
      const prefix = uuidv7();
      const bare = redisStore(await server.connect(), { prefix });
      const mute = { ...bare, move: () => Promise.reject(new Error('dead')) };
      const lines = recordingLogger();
      const died = createJobs({ store: withOutbox(mute, db, { logger: lines }), tasks: [greet] });
      const { id } = await transact(db, (trx) => died.enqueue(greet, { n: 1 }, { within: trx }));
      await until(() => lines.lines.length === 1);
      expect(await rowsLeft(db)).toBe(1);
      await using queue = open(db, [greet], { queue: { store: await openOutbox(db, prefix) } });
      await until(async () => (await queue.jobs.get(id))?.state === 'done');
      await until(async () => (await rowsLeft(db)) === 0);
    });

    test('while Redis is away nothing that commits is lost', async ({ db }) => {
      await using own = await startRedis();
      const greet = task();
      const store = withOutbox(redisStore(await own.connect()), db);
      await using queue = open(db, [greet], { queue: { store } });
      await queue.worker.drained();
      own.kill('SIGKILL');
      const ids = await Promise.all(
        Array.from({ length: 20 }, (_, n) =>
          transact(db, (trx) => queue.jobs.enqueue(greet, { n }, { within: trx })),
        ),
      );
      await systemClock.sleep(300);
      expect(await rowsLeft(db)).toBe(20);
      await own.start();
      await until(async () => {
        const found = await Promise.all(ids.map(({ id }) => queue.jobs.get(id).catch(() => {})));
        return found.every((job) => job?.state === 'done');
      });
      expect(await rowsLeft(db)).toBe(0);
    });
  },
);
