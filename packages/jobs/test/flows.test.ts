import { systemClock } from '@svc/core';
import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { describe, expect } from 'vitest';
import { completed, createJobs, JobNotFound, type JobStore, memoryStore } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { nextEvent, open, task, until } from './open-jobs.ts';

const test = databaseTest([jobsMigrations]);

describe('a job that comes after others', () => {
  test('reads their results, in the order they were given in', async ({ db }) => {
    const square = task({
      run: ({ n }, { transact: within }) => (n === 1 ? within(async () => n * n) : n * n),
    });
    const seen: unknown[] = [];
    const sum = task({
      run: async (_, { awaited }) => {
        for (const { result } of await awaited()) seen.push(result);
      },
    });
    await using queue = open(db, [square, sum]);
    const squares = await queue.jobs.enqueueMany(
      square,
      [3, 1, 2].map((n) => ({ payload: { n } })),
    );
    const after = squares.map(({ id }) => id);
    const { id } = await queue.jobs.enqueue(sum, { n: 0 }, { after });
    await until(async () => (await queue.jobs.get(id))?.state === 'done');
    expect(seen).toEqual([9, 1, 4]);
    expect(await queue.jobs.awaited(id)).toEqual({ open: 0, done: 3, dead: 0, cancelled: 0 });
  });

  test('runs at once when the last of them ends, in a worker that looks every ten seconds', async ({
    db,
  }) => {
    const poll = { first: '10s', longest: '10s' } as const;
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const plain = task({ run: () => gate });
    const joined = task({
      run: async (_, context) => {
        await gate;
        await context.transact(async () => {});
      },
    });
    const last = task();
    await using queue = open(db, [plain, joined, last], { poll });
    await queue.worker.drained();
    const { id: first } = await queue.jobs.enqueue(plain, { n: 1 });
    const { id: second } = await queue.jobs.enqueue(joined, { n: 1 }, { onFailure: 'wait' });
    const ends = [first, second].map(async (id) => {
      const { id: next } = await queue.jobs.enqueue(last, { n: 2 }, { after: [id] });
      await nextEvent(completed, (event) => event.id === next);
    });
    await until(() => queue.worker.running === 2);
    // It has looked, found nothing, and sleeps.
    await systemClock.sleep(200);
    const began = systemClock.elapsedMs();
    release();
    await Promise.all(ends);
    expect(systemClock.elapsedMs() - began).toBeLessThan(5000);
  });

  test('of the caller’s transaction is nowhere after its rollback', async ({ db }) => {
    const [first, last] = [task(), task()];
    const jobs = createJobs({ store: postgresStore(db), tasks: [first, last] });
    const { id } = await jobs.enqueue(first, { n: 1 });
    let waiting = '';
    const refusal = transact(db, async (trx) => {
      const inside = await jobs.enqueue(first, { n: 2 }, { within: trx });
      const after = [id, inside.id];
      waiting = (await jobs.enqueue(last, { n: 3 }, { within: trx, after })).id;
      throw new Error('rolled back');
    });
    await expect(refusal).rejects.toThrow('rolled back');
    expect(await jobs.get(waiting)).toBeUndefined();
    expect(await jobs.awaited(waiting)).toMatchObject({ open: 0 });
  });

  test('of which one is unknown is refused, and its transaction can go on', async ({ db }) => {
    const first = task();
    const jobs = createJobs({ store: postgresStore(db), tasks: [first] });
    const unknown = '019a0000-0000-7000-8000-000000000000';
    const id = await transact(db, async (trx) => {
      for (const after of [[unknown], ['nonsense']])
        await expect(jobs.enqueue(first, { n: 1 }, { within: trx, after })).rejects.toThrow(
          JobNotFound,
        );
      return (await jobs.enqueue(first, { n: 2 }, { within: trx })).id;
    });
    expect(await jobs.get(id)).toMatchObject({ state: 'ready' });
    const wrong = { after: [id], onFailure: 'stop' as never };
    await expect(jobs.enqueue(first, { n: 1 }, wrong)).rejects.toThrow(TypeError);
  });

  for (const way of ['with its lease', 'in a transaction'] as const)
    test(`while a long transaction comes to wait for a job that ends ${way}, no lease is lost`, async ({
      db,
    }) => {
      let release = () => {};
      const gate = new Promise<void>((resolve) => (release = resolve));
      const slow = task({
        run: async (_, context) => {
          await gate;
          if (way === 'in a transaction') await context.transact(async () => {});
        },
      });
      const last = task();
      await using queue = open(db, [slow, last], { lease: '300ms' });
      const { id } = await queue.jobs.enqueue(slow, { n: 1 });
      await until(() => queue.worker.running === 1);
      const { id: beside } = await queue.jobs.enqueue(slow, { n: 2 });
      await until(() => queue.worker.running === 2);
      const next = await transact(db, async (trx) => {
        const waiting = await queue.jobs.enqueue(last, { n: 3 }, { within: trx, after: [id] });
        await systemClock.sleep(1000);
        release();
        await systemClock.sleep(200);
        return waiting.id;
      });
      for (const each of [next, id, beside]) {
        await until(async () => (await queue.jobs.get(each))?.state === 'done');
        expect(await queue.jobs.get(each)).toMatchObject({ attempts: 1 });
      }
    });

  test('is ready when the last two of them end in transactions side by side', async ({ db }) => {
    const side = task({
      run: (_, context) =>
        transact(db, async (trx) => {
          await context.complete({ within: trx });
          await systemClock.sleep(200);
        }),
    });
    const last = task();
    await using queue = open(db, [side, last]);
    const { id } = await transact(db, async (within) => {
      const sides = await queue.jobs.enqueueMany(
        side,
        [1, 2, 3].map((n) => ({ payload: { n } })),
        { within },
      );
      return queue.jobs.enqueue(last, { n: 4 }, { within, after: sides.map((each) => each.id) });
    });
    await until(async () => (await queue.jobs.get(id))?.state === 'done');
    expect(await queue.jobs.get(id)).toMatchObject({ attempts: 1 });
  });

  test('can be cancelled; who runs all the same does so at once', async ({ db }) => {
    const poll = { first: '10s', longest: '10s' } as const;
    const [first, second, last] = [task(), task(), task()];
    await using queue = open(db, [last], {
      poll,
      queue: { tasks: [first, second, last] as never },
    });
    await queue.worker.drained();
    const jobs = createJobs({ store: postgresStore(db), tasks: [first, second] });
    const { id } = await jobs.enqueue(first, { n: 1 });
    const { id: waiting } = await jobs.enqueue(second, { n: 2 }, { after: [id] });
    const options = { after: [waiting], onFailure: 'run' } as const;
    const { id: end } = await queue.jobs.enqueue(last, { n: 3 }, options);
    const ended = nextEvent(completed, (event) => event.id === end);
    expect(await queue.jobs.get(waiting)).toMatchObject({ state: 'waiting' });
    const { items } = await queue.jobs.list({ state: 'waiting', task: last.name });
    expect(items.map((job) => job.id)).toEqual([end]);
    const began = systemClock.elapsedMs();
    expect(await queue.jobs.cancel(waiting)).toBe('cancelled');
    await ended;
    expect(systemClock.elapsedMs() - began).toBeLessThan(5000);
  });
});

test('a batch of 2000 has one end, and says how far it is', async ({ db }) => {
  const part = task({
    maxAttempts: 1,
    run: ({ n }) => {
      if (n % 100 === 0) throw new Error('broken');
    },
  });
  let ends = 0;
  const end = task({ run: () => void (ends += 1) });
  const jobs = createJobs({ store: postgresStore(db), tasks: [part, end] });
  const items = Array.from({ length: 2000 }, (_, n) => ({ payload: { n } }));
  const batch = await transact(db, async (within) => {
    const parts = await jobs.enqueueMany(part, items, { within });
    const after = parts.map(({ id }) => id);
    return jobs.enqueue(end, { n: 0 }, { within, after, onFailure: 'run' });
  });
  expect(await jobs.awaited(batch.id)).toEqual({ open: 2000, done: 0, dead: 0, cancelled: 0 });
  await using queue = open(db, [part, end], { concurrency: 50 });
  await until(async () => (await queue.jobs.get(batch.id))?.state === 'done');
  expect(await jobs.awaited(batch.id)).toEqual({ open: 0, done: 1980, dead: 20, cancelled: 0 });
  expect(ends).toBe(1);
});

test('a store that keeps no flows says so', async () => {
  const greet = task();
  const { flows, ...store } = memoryStore();
  expect(flows).toBeDefined();
  const jobs = createJobs({ store: store satisfies JobStore, tasks: [greet] });
  const { id } = await jobs.enqueue(greet, { n: 1 });
  await expect(jobs.enqueue(greet, { n: 2 }, { after: [id] })).rejects.toThrow(/wait for others/);
});
