import { recordEvents, recordingLogger } from '@svc/core/testing';
import { systemClock } from '@svc/core';
import { databaseTest } from '@svc/db/testing';
import { describe, expect } from 'vitest';
import {
  cancelled,
  dead,
  exponential,
  linear,
  NonRetryable,
  refused,
  RetryAfter,
  retried,
} from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { nextEvent, open, task, until } from './open-jobs.ts';

const test = databaseTest([jobsMigrations]);

describe('an attempt that fails', () => {
  test('is followed by others, until the last one makes a dead letter with every error', async ({
    db,
  }) => {
    const attempts: number[] = [];
    const fragile = task({
      maxAttempts: 3,
      backoff: () => 1,
      run: (_, { attempt }) => {
        attempts.push(attempt);
        throw new Error(`broken ${attempt}`);
      },
    });
    using burials = recordEvents(dead);
    await using queue = open(db, [fragile]);
    const { id } = await queue.jobs.enqueue(fragile, { n: 1 });
    await until(async () => (await queue.jobs.get(id))?.state === 'dead');
    // Long enough for attempts that must not be.
    await systemClock.sleep(200);
    await queue.worker.drained();
    expect(attempts).toEqual([1, 2, 3]);
    const job = await queue.jobs.get(id);
    expect(job?.errors.map(({ attempt, message }) => `${attempt} ${message}`)).toEqual([
      '1 broken 1',
      '2 broken 2',
      '3 broken 3',
    ]);
    expect(burials.events.filter(({ payload }) => payload.id === id)).toHaveLength(1);
  });

  test('that must not be retried is the last', async ({ db }) => {
    const fragile = task({
      run: () => {
        throw new NonRetryable('never');
      },
    });
    await using queue = open(db, [fragile]);
    const { id } = await queue.jobs.enqueue(fragile, { n: 1 });
    await until(async () => (await queue.jobs.get(id))?.state === 'dead');
    expect(await queue.jobs.get(id)).toMatchObject({ attempts: 1, errors: [{ message: 'never' }] });
  });

  test('waits as long as the handler says', async ({ db }) => {
    const fragile = task({
      run: (_, { attempt }) => {
        if (attempt === 1) throw new RetryAfter('250ms');
      },
    });
    await using queue = open(db, [fragile]);
    const delayed = nextEvent(retried, (event) => event.task === fragile.name);
    const { id } = await queue.jobs.enqueue(fragile, { n: 1 });
    expect(await delayed).toMatchObject({ delayMs: 250 });
    const began = systemClock.elapsedMs();
    await until(async () => (await queue.jobs.get(id))?.state === 'done');
    expect(systemClock.elapsedMs() - began).toBeGreaterThan(200);
  });

  test('leaves its message and nothing else of it, cut to 500 characters', async ({ db }) => {
    const fragile = task({
      maxAttempts: 1,
      run: () => {
        throw Object.assign(new Error(`${'x'.repeat(2000)}\0`), { password: 'hunter2' });
      },
    });
    await using queue = open(db, [fragile]);
    const { id } = await queue.jobs.enqueue(fragile, { n: 1 });
    await until(async () => (await queue.jobs.get(id))?.state === 'dead');
    const job = await queue.jobs.get(id);
    expect(job?.errors[0]?.message).toHaveLength(500);
    expect(JSON.stringify(job)).not.toMatch(/hunter2|\.ts:/);
  });

  test('does not stop the worker, whatever is thrown', async ({ db }) => {
    const thrown = [undefined, null, 'text', 7, {}, new Error('')];
    const fragile = task({
      maxAttempts: 1,
      run: ({ n }) => {
        throw thrown[n];
      },
    });
    await using queue = open(db, [fragile]);
    await queue.jobs.enqueueMany(
      fragile,
      thrown.map((_, n) => ({ payload: { n } })),
    );
    await queue.worker.drained();
    const { items } = await queue.jobs.list({ state: 'dead', task: fragile.name });
    expect(items).toHaveLength(thrown.length);
  });

  test('has failed when its time is over, and what comes after is refused', async ({ db }) => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    let reason: unknown;
    const slow = task({
      maxAttempts: 1,
      timeout: '100ms',
      run: async (_, { signal }) => {
        await gate;
        reason = signal.reason;
      },
    });
    using refusals = recordEvents(refused);
    await using queue = open(db, [slow]);
    const { id } = await queue.jobs.enqueue(slow, { n: 1 });
    await until(async () => (await queue.jobs.get(id))?.state === 'dead');
    release();
    await until(() => reason !== undefined);
    await queue.worker.drained();
    expect(reason).toMatchObject({ name: 'TimeoutError' });
    expect(await queue.jobs.get(id)).toMatchObject({ state: 'dead' });
    expect(refusals.events.filter(({ payload }) => payload.id === id)).toEqual([]);
  });
});

test('a job whose task nobody knows, or whose payload does not fit, is a dead letter at once', async ({
  db,
}) => {
  const known = task();
  const logger = recordingLogger();
  await using queue = open(db, [known], { queue: { logger } });
  const store = queue.jobs['~inside'].store;
  const wrong = { priority: 5, group: null, cost: 1000, maxAttempts: 9, delayMs: 0, runAt: null };
  const ids = ['019a0000-0000-7000-8000-000000000001', '019a0000-0000-7000-8000-000000000002'];
  const [misfit, unknown] = ids as [string, string];
  await store.enqueue([
    { ...wrong, id: misfit, task: known.name, payload: '{"n":"secret"}', attributes: {} },
  ]);
  await until(async () => (await queue.jobs.get(misfit))?.state === 'dead');
  await store.enqueue([{ ...wrong, id: unknown, task: 'nobodys', payload: '1', attributes: {} }]);
  await using other = open(db, [], { tasks: ['nobodys'] });
  await until(async () => (await other.jobs.get(unknown))?.state === 'dead');
  expect(await queue.jobs.get(misfit)).toMatchObject({ attempts: 1 });
  expect(JSON.stringify((await queue.jobs.get(misfit))?.errors)).not.toContain('secret');
  expect(JSON.stringify(logger.lines)).not.toContain('secret');
});

test('a running job that was cancelled is over when its worker stops without waiting', async ({
  db,
}) => {
  const isTold = Promise.withResolvers<void>();
  const stubborn = task({
    keepDone: '1h',
    run: async (_, { signal }) => {
      signal.addEventListener('abort', () => isTold.resolve());
      await new Promise(() => {});
    },
  });
  using endings = recordEvents(cancelled);
  await using queue = open(db, [stubborn], { lease: '300ms' });
  const { id } = await queue.jobs.enqueue(stubborn, { n: 1 });
  await until(async () => (await queue.jobs.get(id))?.state === 'running');
  expect(await queue.jobs.cancel(id)).toBe('running');
  await isTold.promise;
  await queue.worker.stop({ graceMs: 0 });
  expect(await queue.jobs.get(id)).toMatchObject({ state: 'cancelled' });
  expect(endings.events.filter(({ payload }) => payload.id === id)).toHaveLength(1);
});

test('a running job that is cancelled is told so, and ends when its handler does', async ({
  db,
}) => {
  const slow = task({
    run: (_, { signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      ),
  });
  await using queue = open(db, [slow]);
  const { id } = await queue.jobs.enqueue(slow, { n: 1 });
  await until(() => queue.worker.running === 1);
  expect(await queue.jobs.cancel(id)).toBe('running');
  await until(async () => (await queue.jobs.get(id))?.state === 'cancelled');
});

test('a worker that stops hands back what it cannot end, without an attempt', async ({ db }) => {
  const begun: number[] = [];
  const slow = task({
    run: async ({ n }, { signal }) => {
      begun.push(n);
      await new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason as Error)),
      );
    },
  });
  const first = open(db, [slow], { concurrency: 2, lease: '60s' });
  await first.jobs.enqueueMany(slow, [
    { payload: { n: 1 } },
    { payload: { n: 2 } },
    { payload: { n: 3 } },
  ]);
  await until(() => first.worker.running === 2);
  await first.worker.stop({ graceMs: 0 });
  const { items } = await first.jobs.list({ state: 'ready', task: slow.name });
  expect(items.map(({ attempts, errors }) => [attempts, errors.length])).toEqual([
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  expect(begun.toSorted()).toEqual([1, 2]);
});

test('what was there when it was enqueued is there when it runs', async ({ db }) => {
  const seen: unknown[] = [];
  const carried = task({
    run: (_, { tenantId, traceparent, group }) => void seen.push([tenantId, traceparent, group]),
  });
  const around: string[] = [];
  const context = () => ({ tenantId: 'acme', traceparent: '00-a-b-01' });
  await using queue = open(db, [carried], {
    queue: { context },
    around: async (attempt, run) => {
      around.push(attempt.tenantId ?? '');
      return run();
    },
  });
  const { id } = await queue.jobs.enqueue(carried, { n: 1 });
  await until(async () => (await queue.jobs.get(id))?.state === 'done');
  expect(seen).toEqual([['acme', '00-a-b-01', 'acme']]);
  expect(around).toEqual(['acme']);
});

describe('backoff', () => {
  test('grows, has jitter over all of it, and a cap', () => {
    const backoff = exponential({ first: '1s', cap: '1m' });
    expect([1, 2, 3, 7, 2000].map((n) => backoff(n, () => 1))).toEqual([
      1000, 2000, 4000, 60_000, 60_000,
    ]);
    expect(backoff(9, () => 0)).toBe(0);
    expect([1, 2, 3].map((n) => linear(30)(n, () => 0))).toEqual([30_000, 60_000, 90_000]);
  });
});
