import { systemClock, uuidv7 } from '@svc/core';
import { noRedisServer } from '@svc/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createJobs } from '../src/index.ts';
import { redisScheduleStore, redisStore } from '../src/stores/redis.ts';
import { describeJobFlows, describeJobStore, describeScheduleStore } from '../src/testing.ts';
import { task } from './open-jobs.ts';
import { type ConnectedServer, startRedis } from './redis-server.ts';

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `redis${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    let server: ConnectedServer;
    beforeAll(async () => {
      server = await startRedis();
    });
    afterAll(() => server[Symbol.asyncDispose]());

    describeJobStore('redis', async () => ({
      stores: [redisStore(await server.connect()), redisStore(await server.connect())],
      wait: (ms) => systemClock.sleep(ms),
    }));
    describeJobFlows('redis', async () => ({
      stores: [redisStore(await server.connect()), redisStore(await server.connect())],
      wait: (ms) => systemClock.sleep(ms),
    }));
    describeScheduleStore('redis', async () => ({
      stores: [
        redisScheduleStore(await server.connect()),
        redisScheduleStore(await server.connect()),
      ],
    }));

    test('a server that has forgotten the scripts gets them again', async () => {
      const client = await server.connect();
      const tasks = [task()] as const;
      const jobs = createJobs({ store: redisStore(client), tasks });
      await jobs.enqueue(tasks[0], { n: 1 });
      await client.script('FLUSH');
      const { id } = await jobs.enqueue(tasks[0], { n: 2 });
      expect(await jobs.get(id)).toMatchObject({ state: 'ready', payload: { n: 2 } });
    });

    test('two prefixes are two queues, and every key has the hash tag', async () => {
      const client = await server.connect();
      const tasks = [task({ uniqueUntil: 'removed' })] as const;
      const [one, other] = [
        createJobs({ store: redisStore(client, { prefix: 'q7x' }), tasks }),
        createJobs({ store: redisStore(client, { prefix: 'other' }), tasks }),
      ];
      const { id } = await one.enqueue(tasks[0], { n: 1 }, { uniqueKey: 'k', group: 'g' });
      await one.enqueue(tasks[0], { n: 2 }, { delay: '1h' });
      expect(await other.get(id)).toBeUndefined();
      const keys = await client.keys('*q7x*');
      expect(keys.length).toBeGreaterThan(5);
      expect(keys.every((key) => key.startsWith('{q7x}:'))).toBe(true);
    });

    test('a server that evicts what does not expire is refused, until it does not', async () => {
      const client = await server.connect();
      const tasks = [task()] as const;
      const jobs = createJobs({ store: redisStore(client), tasks });
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      await expect(jobs.enqueue(tasks[0], { n: 1 })).rejects.toThrow(/allkeys-lru.*noeviction/);
      await client.config('SET', 'maxmemory-policy', 'noeviction');
      await jobs.enqueue(tasks[0], { n: 1 });
    });

    test('many are listed by pages, and those of one group among many others', async () => {
      const tasks = [task(), task()] as const;
      const jobs = createJobs({
        store: redisStore(await server.connect(), { prefix: 'p' }),
        tasks,
      });
      const items = (group: string, count: number) =>
        Array.from({ length: count }, (_, n) => ({ payload: { n }, group }));
      const rare = await jobs.enqueueMany(tasks[0], items('rare', 3));
      await jobs.enqueueMany(tasks[0], items('usual', 1200));
      await jobs.enqueueMany(tasks[1], items('usual', 30));
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await jobs.list({ state: 'ready', limit: 500, ...(cursor && { cursor }) });
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(new Set(ids).size).toBe(1233);
      expect(ids).toEqual(ids.toSorted().toReversed());
      const { items: found } = await jobs.list({ state: 'ready', group: 'rare' });
      expect(found.map(({ id }) => id)).toEqual(rare.map(({ id }) => id).toReversed());
    });

    test('a tick is held as long as it is enqueued, and five seconds longer by who was killed', async () => {
      const tickAt = new Date('2026-01-01T00:00:05Z');
      const [dying, client] = [await server.connect(), await server.connect()];
      const [killed, alive, other] = [dying, client, client].map((each) =>
        redisScheduleStore(each),
      );
      const names = ['of-the-killed', 'of-the-slow'] as const;
      const schedules = names.map((name) => ({ name, pattern: 'a' }));
      await other?.register(schedules, new Date('2026-01-01T00:00:00Z'));
      const claim = (schedule: string) => ({ schedule, tickAt, advances: true });
      const never = new Promise(() => {});
      await new Promise<void>((resolve) => {
        void killed?.claimTick(claim(names[0]), () => (resolve(), never));
      });
      dying.disconnect();
      const beganAtMs = systemClock.elapsedMs();
      const slow = alive?.claimTick(claim(names[1]), () => systemClock.sleep(6000));
      const [taken, twice] = await Promise.all([
        other
          ?.claimTick(claim(names[0]), async () => {})
          .then((isOurs) => {
            expect(systemClock.elapsedMs() - beganAtMs).toBeLessThan(7000);
            return isOurs;
          }),
        systemClock.sleep(100).then(() => other?.claimTick(claim(names[1]), async () => {})),
      ]);
      expect([taken, await slow, twice]).toEqual([true, true, false]);
    });

    test('20 000 are stored in one call', async () => {
      const tasks = [task()] as const;
      const jobs = createJobs({
        store: redisStore(await server.connect(), { prefix: 'm' }),
        tasks,
      });
      const items = Array.from({ length: 20_000 }, (_, n) => ({ payload: { n } }));
      const stored = await jobs.enqueueMany(tasks[0], items);
      expect(stored.filter(({ isDuplicate }) => isDuplicate)).toEqual([]);
      expect((await jobs.stats()).tasks).toEqual({ [tasks[0].name]: { ready: 20_000 } });
      expect(await jobs.get(stored[19_999]?.id as string)).toMatchObject({
        payload: { n: 19_999 },
      });
    });

    test('dead letters by the thousand are replayed as far as it is said, the oldest first', async () => {
      const store = redisStore(await server.connect(), { prefix: 'd' });
      const tasks = [task(), task()] as const;
      const jobs = createJobs({ store, tasks });
      const names = tasks.map(({ name }) => name);
      for (let n = 0; n < 700; n += 1) await jobs.enqueue(tasks[n % 2 ? 0 : 1], { n });
      const claim = { lease: 'l', worker: 'w', max: 1000, leaseMs: 60_000, limits: undefined };
      const taken = await store.claim({ ...claim, tasks: names });
      const dead = { lease: 'l', kind: 'dead', error: 'no' } as const;
      await store.finish(
        taken.jobs.map(({ id }) => ({ ...dead, id })),
        [],
      );
      expect(await jobs.replayDead({ task: tasks[0].name, limit: 340 })).toBe(340);
      expect(await jobs.replayDead({ task: tasks[0].name })).toBe(10);
      expect(await jobs.purgeDead()).toBe(350);
      expect((await jobs.stats()).tasks).toEqual({ [tasks[0].name]: { ready: 350 } });
    });

    test('of a purge of many dead letters those that it makes are not part', async () => {
      const store = redisStore(await server.connect(), { prefix: 'purged' });
      const tasks = [task(), task()] as const;
      const jobs = createJobs({ store, tasks });
      const items = Array.from({ length: 700 }, (_, n) => ({ payload: { n } }));
      const [first] = await jobs.enqueueMany(tasks[0], items);
      const { id } = await jobs.enqueue(tasks[1], { n: 0 }, { after: [first?.id as string] });
      const claim = { worker: 'w', max: 1000, leaseMs: 60_000, limits: undefined };
      const taken = await store.claim({ ...claim, lease: 'l', tasks: undefined });
      const dead = { lease: 'l', kind: 'dead', error: 'no' } as const;
      await store.finish(
        taken.jobs.map((job) => ({ ...dead, id: job.id })),
        [],
      );
      expect(await jobs.purgeDead()).toBe(700);
      expect(await jobs.get(id)).toMatchObject({ state: 'dead', errors: [{ attempt: 0 }] });
    });

    test('a chain of thousands falls in one step, and is replayed as it was', async () => {
      const store = redisStore(await server.connect(), { prefix: 'c' });
      const tasks = [task()] as const;
      const jobs = createJobs({ store, tasks });
      const { id: first } = await jobs.enqueue(tasks[0], { n: 0 });
      let id = first;
      for (let n = 1; n < 3000; n += 1)
        ({ id } = await jobs.enqueue(tasks[0], { n }, { after: [id], onFailure: 'fail' }));
      await jobs.cancel(first);
      expect((await jobs.stats()).tasks[tasks[0].name]).toMatchObject({ dead: 2999 });
      expect(await jobs.replayDead()).toBe(2999);
      expect((await jobs.stats()).tasks[tasks[0].name]).toMatchObject({ ready: 1, waiting: 2998 });
    });

    test('a job that is refused takes nobody with it who is enqueued at the same moment', async () => {
      const tasks = [task()] as const;
      const jobs = createJobs({ store: redisStore(await server.connect()), tasks });
      // While the first ones are on their way the others gather.
      const ends = await Promise.allSettled(
        Array.from({ length: 10 }, (_, n) =>
          jobs.enqueue(tasks[0], { n }, n === 8 ? { after: [uuidv7()] } : {}),
        ),
      );
      const refused = ends.flatMap(({ status }, n) => (status === 'rejected' ? [n] : []));
      expect(refused).toEqual([8]);
    });

    test('of a flow of which no record is kept no key is left', async () => {
      const client = await server.connect();
      const store = redisStore(client, { prefix: 'left' });
      const tasks = [task()] as const;
      const jobs = createJobs({ store, tasks, keepDone: false });
      const parts = [{ payload: { n: 1 } }, { payload: { n: 2 } }];
      const after = (await jobs.enqueueMany(tasks[0], parts)).map(({ id }) => id);
      await jobs.enqueue(tasks[0], { n: 3 }, { after, onFailure: 'run' });
      const { id: gone } = await jobs.enqueue(tasks[0], { n: 4 }, { after });
      await jobs.cancel(gone);
      const claim = { worker: 'w', max: 10, leaseMs: 60_000, tasks: undefined, limits: undefined };
      for (const [lease, count] of [
        ['one', 2],
        ['two', 1],
      ] as const) {
        const { jobs: taken } = await store.claim({ ...claim, lease });
        expect(taken).toHaveLength(count);
        const done = taken.map(({ id }) => ({ lease, id, kind: 'done', result: '1' }) as const);
        await store.finish(done, []);
      }
      const keys = (await client.keys('{left}:*')).map((key) => key.slice('{left}:'.length));
      expect(keys.toSorted()).toEqual(['tasks', 'time']);
    });
  },
);
