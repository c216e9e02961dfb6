import { systemClock } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { describe, expect } from 'vitest';
import {
  createJobs,
  createWorker,
  type JobStore,
  JobNotFound,
  JobStateConflict,
  memoryStore,
  PayloadTooLarge,
} from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { open, task, until } from './open-jobs.ts';

const test = databaseTest([jobsMigrations]);

test('a worker for 50 tasks with nothing to do asks at most twice a second', async ({ db }) => {
  const counted = new Map<string, number>();
  const store = new Proxy(postgresStore(db), {
    get(target, name: keyof JobStore) {
      const found = target[name];
      if (typeof found !== 'function') return found;
      return (...given: never[]) => {
        counted.set(name, (counted.get(name) ?? 0) + 1);
        return (found as (...all: never[]) => unknown)(...given);
      };
    },
  });
  const tasks = Array.from({ length: 50 }, () => task());
  await using queue = open(db, tasks, { queue: { store } });
  await queue.worker.drained();
  // It looks less and less often: 25, 50, … 800 ms.
  await systemClock.sleep(2000);
  counted.clear();
  await systemClock.sleep(3000);
  const all = [...counted.values()].reduce((sum, count) => sum + count, 0);
  expect(all).toBeGreaterThan(0);
  expect(all).toBeLessThanOrEqual(6);
});

test('of one task at most its concurrency runs, over several workers', async ({ db }) => {
  let running = 0;
  let most = 0;
  const limited = task({
    concurrency: 3,
    run: async () => {
      running += 1;
      most = Math.max(most, running);
      await systemClock.sleep(5);
      running -= 1;
    },
  });
  await using first = open(db, [limited]);
  await using second = open(db, [limited]);
  await first.jobs.enqueueMany(
    limited,
    Array.from({ length: 60 }, (_, n) => ({ payload: { n } })),
  );
  await until(async () => (await first.jobs.stats()).tasks[limited.name]?.done === 60);
  await second.worker.stop();
  expect(most).toBe(3);
});

test('a store that never answers is given up, and hands back what it brings too late', async () => {
  const greet = task();
  const store = memoryStore();
  const logger = recordingLogger();
  let calls = 0;
  const failing: JobStore = {
    ...store,
    claim: (request) => {
      calls += 1;
      return calls <= 2 ? Promise.reject(new Error('away')) : store.claim(request);
    },
  };
  const jobs = createJobs({ store: failing, tasks: [greet], logger });
  const worker = createWorker({ jobs });
  worker.start();
  const { id } = await jobs.enqueue(greet, { n: 1 });
  await until(async () => (await jobs.get(id))?.state === 'done');
  await worker.stop();
  const said = logger.lines.map(({ message }) => message);
  expect(said.filter((line) => line.includes('does not answer'))).toHaveLength(1);
  expect(said.filter((line) => line.includes('answers again'))).toHaveLength(1);
});

test('what is enqueued before somebody asks for the end of all is waited for', async () => {
  const greet = task();
  const store = memoryStore();
  let answer: (() => void) | undefined;
  const slow: JobStore = {
    ...store,
    async claim(request) {
      const claimed = await store.claim(request);
      await new Promise<void>((resolve) => (answer = resolve));
      return claimed;
    },
  };
  const jobs = createJobs({ store: slow, tasks: [greet] });
  const worker = createWorker({ jobs });
  worker.start();
  // It has looked, and does not know yet that there was nothing.
  await until(() => answer !== undefined);
  const { id } = await jobs.enqueue(greet, { n: 1 });
  let isDrained = false;
  const drained = worker.drained().then(() => (isDrained = true));
  await until(() => {
    answer?.();
    return isDrained;
  });
  await drained;
  expect(await jobs.get(id)).toMatchObject({ state: 'done' });
  const stopped = worker.stop();
  answer?.();
  await stopped;
});

test('where no wake-up comes through, one line says so, and jobs run all the same', async ({
  db,
}) => {
  const greet = task();
  const logger = recordingLogger();
  const store: JobStore = {
    ...postgresStore(db),
    listen: async () => ({ [Symbol.asyncDispose]: async () => {} }),
  };
  await using queue = open(db, [greet], { queue: { store, logger } });
  await until(() => logger.lines.some(({ message }) => message.includes('pooler')));
  const outside = createJobs({ store: postgresStore(db), tasks: [greet] });
  const { id } = await outside.enqueue(greet, { n: 1 });
  await until(async () => (await queue.jobs.get(id))?.state === 'done');
  expect(logger.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
});

describe('what is enqueued', () => {
  test('is refused where it does not fit, without its values', async ({ db }) => {
    const greet = task();
    const jobs = createJobs({ store: postgresStore(db), tasks: [greet] });
    const wrong = jobs.enqueue(greet, { n: 'secret' } as never);
    await expect(wrong).rejects.toThrow(/does not fit the task .*: n$/);
    await expect(jobs.enqueue('nobody' as never, { n: 1 } as never)).rejects.toThrow(TypeError);
    const large = createJobs({ store: postgresStore(db), tasks: [greet], maxPayloadBytes: 4 });
    await expect(large.enqueue(greet, { n: 1 })).rejects.toThrow(PayloadTooLarge);
    for (const options of [
      { priority: 10 },
      { maxAttempts: 0 },
      { group: '' },
      { uniqueKey: '\0' },
    ])
      await expect(jobs.enqueue(greet, { n: 1 }, options)).rejects.toThrow(TypeError);
  });

  test('can be found, listed page by page, retried and cancelled', async ({ db }) => {
    const greet = task();
    const jobs = createJobs({ store: postgresStore(db), tasks: [greet] });
    const [a, b, c] = await jobs.enqueueMany(
      greet,
      [1, 2, 3].map((n) => ({ payload: { n }, delay: '1h' as const })),
    );
    const page = await jobs.list({ state: 'scheduled', task: greet.name, limit: 2 });
    expect(page.items.map(({ id }) => id)).toEqual([c?.id, b?.id]);
    const rest = await jobs.list({
      state: 'scheduled',
      task: greet.name,
      cursor: page.nextCursor ?? '',
    });
    expect(rest).toMatchObject({ items: [{ id: a?.id, payload: { n: 1 } }], nextCursor: null });
    await jobs.retry(a?.id ?? '');
    expect(await jobs.get(a?.id ?? '')).toMatchObject({ state: 'ready' });
    await expect(jobs.retry(a?.id ?? '')).rejects.toThrow(JobStateConflict);
    expect(await jobs.cancel(b?.id ?? '')).toBe('cancelled');
    await expect(jobs.cancel(b?.id ?? '')).rejects.toThrow(JobStateConflict);
    await expect(jobs.cancel('nonsense')).rejects.toThrow(JobNotFound);
    await expect(jobs.retry('019a0000-0000-7000-8000-000000000000')).rejects.toThrow(JobNotFound);
  });
});
