import { recordEvents } from '@svc/core/testing';
import { isFailure, systemClock, uuidv7 } from '@svc/core';
import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import { completed, createJobs, JobLost, type JobStore, refused } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { nextEvent, open, task, until } from './open-jobs.ts';

const effects = {
  schema: 'effects',
  steps: [{ name: '001', up: ['create table effects.done (job uuid, attempt int)'], down: [] }],
};
const test = databaseTest([jobsMigrations, effects]);

describe('a job that is enqueued in a transaction', () => {
  test('runs after the commit, at once, in a worker that looks only every ten seconds', async ({
    db,
  }) => {
    const greet = task();
    const poll = { first: '10s', longest: '10s' } as const;
    await using queue = open(db, [greet], { poll });
    await queue.worker.drained();
    const seen = nextEvent(completed, (event) => event.task === greet.name);
    let committedAtMs = 0;
    await transact(db, async (trx) => {
      await queue.jobs.enqueue(greet, { n: 1 }, { within: trx });
      expect((await queue.jobs.list({ state: 'ready', task: greet.name })).items).toEqual([]);
      committedAtMs = systemClock.elapsedMs();
    });
    await seen;
    expect(systemClock.elapsedMs() - committedAtMs).toBeLessThan(2000);
  });

  test('wakes a worker that has only the database in common with it', async ({ db }) => {
    const greet = task();
    const poll = { first: '10s', longest: '10s' } as const;
    await using queue = open(db, [greet], { poll });
    await queue.worker.drained();
    const other = open(db, [greet]);
    await other.worker.stop();
    const seen = nextEvent(completed, (event) => event.task === greet.name);
    const began = systemClock.elapsedMs();
    await other.jobs.enqueue(greet, { n: 1 });
    await seen;
    expect(systemClock.elapsedMs() - began).toBeLessThan(5000);
  });

  test('is nowhere after a rollback, and nobody is woken', async ({ db }) => {
    const greet = task();
    let wakes = 0;
    const store = postgresStore(db);
    const counting = { ...store, wake: async () => void (wakes += 1) };
    await using queue = open(db, [greet], { listen: false, queue: { store: counting } });
    await queue.worker.drained();
    await queue.worker.stop();
    const refusal = transact(db, async (trx) => {
      await queue.jobs.enqueue(greet, { n: 1 }, { within: trx });
      await queue.jobs.enqueueMany(greet, [{ payload: { n: 2 } }], { within: trx });
      throw new Error('rolled back');
    });
    await expect(refusal).rejects.toThrow('rolled back');
    expect(wakes).toBe(0);
    expect((await queue.jobs.stats()).tasks[greet.name]).toBeUndefined();
    await transact(db, (trx) => queue.jobs.enqueue(greet, { n: 3 }, { within: trx }));
    expect(wakes).toBe(1);
  });
});

describe('a job that is completed in its own transaction', () => {
  test('has its effect once, however often it fails around it', async ({ db }) => {
    let calls = 0;
    const write = task({
      backoff: () => 0,
      run: async (_, context) => {
        calls += 1;
        await context.transact(async (trx) => {
          await sql`insert into effects.done values (${context.id}, ${context.attempt})`.execute(
            trx,
          );
          if (context.attempt < 3) throw new Error('not yet');
        });
        // The job is done: what goes wrong from here on cannot run it again.
        throw new Error('after the commit');
      },
    });
    using refusals = recordEvents(refused);
    await using queue = open(db, [write]);
    const { id } = await queue.jobs.enqueue(write, { n: 1 });
    await until(async () => (await queue.jobs.get(id))?.state === 'done');
    await queue.worker.drained();
    const { rows } = await sql<{ attempt: number }>`
      select attempt from effects.done where job = ${id}`.execute(db);
    expect(rows).toEqual([{ attempt: 3 }]);
    expect(calls).toBe(3);
    expect(refusals.events.map(({ payload }) => payload)).toMatchObject([{ id, outcome: 'retry' }]);
  });

  test('is not done when its transaction was rolled back behind the back of the handler', async ({
    db,
  }) => {
    const write = task({
      backoff: () => 0,
      maxAttempts: 2,
      run: async (_, context) => {
        await transact(db, async (trx) => {
          await context.complete({ within: trx });
          throw new Error('rolled back');
        }).catch(() => {});
      },
    });
    await using queue = open(db, [write]);
    const { id } = await queue.jobs.enqueue(write, { n: 1 });
    await until(async () => (await queue.jobs.get(id))?.state === 'dead');
    expect((await queue.jobs.get(id))?.errors).toHaveLength(2);
  });

  test('loses to the one who has the job by now: its writes roll back', async ({ db }) => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => (release = resolve));
    const outcomes: string[] = [];
    const write = task({
      run: async (_, context) => {
        if (context.attempt === 1) await gate;
        try {
          await context.transact(async (trx) => {
            await sql`insert into effects.done values (${context.id}, ${context.attempt})`.execute(
              trx,
            );
          });
          outcomes.push(`${context.attempt} committed`);
        } catch (error) {
          outcomes.push(`${context.attempt} ${isFailure(error, JobLost) ? 'lost' : String(error)}`);
          throw error;
        }
      },
    });
    const store = postgresStore(db);
    // Its heartbeats do not arrive: it believes to have the job while it has not.
    const mute = { ...store, heartbeat: async () => ({ lost: [], cancelled: [] }) };
    const zombie = open(db, [write], { lease: '300ms', queue: { store: mute } });
    const { id } = await zombie.jobs.enqueue(write, { n: 1 });
    await until(() => zombie.worker.running === 1);
    await using queue = open(db, [write], { lease: '5s' });
    await until(async () => (await queue.jobs.get(id))?.state === 'done');
    release();
    await until(() => outcomes.length === 2);
    expect(outcomes).toEqual(['2 committed', '1 lost']);
    const { rows } = await sql`select attempt from effects.done where job = ${id}`.execute(db);
    expect(rows).toEqual([{ attempt: 2 }]);
    await zombie.worker.stop({ graceMs: 0 });
  });
});

describe('a running job that is cancelled in a transaction', () => {
  const claimBoth = async (store: JobStore, name: string) => {
    const lease = uuidv7();
    const request = { lease, worker: 'w', max: 2, leaseMs: 60_000, tasks: [name] };
    const { jobs } = await store.claim({ ...request, limits: undefined });
    return { lease, ids: jobs.map(({ id }) => id) as [string, string] };
  };

  for (const ending of [{ kind: 'back' }, { kind: 'retry', delayMs: 0, error: 'broken' }] as const)
    test(`is over when it is handed back before the commit, by '${ending.kind}'`, async ({
      db,
    }) => {
      const store = postgresStore(db);
      const stopped = task({ keepDone: '1h' });
      const jobs = createJobs({ store, tasks: [stopped] });
      await jobs.enqueueMany(stopped, [{ payload: { n: 1 } }, { payload: { n: 2 } }]);
      const { lease, ids } = await claimBoth(store, stopped.name);
      let finishing: Promise<unknown> | undefined;
      await transact(db, async (trx) => {
        expect(await jobs.cancel(ids[0], { within: trx })).toBe('running');
        // A heartbeat does not wait for the commit.
        expect(await store.heartbeat([lease], 60_000)).toEqual({ lost: [], cancelled: [] });
        finishing = store.finish([{ lease, id: ids[0], ...ending }], []);
        await systemClock.sleep(100);
      });
      expect(await finishing).toEqual([]);
      expect(await jobs.get(ids[0])).toMatchObject({ state: 'cancelled' });
    });

  test('is not said to run when it was handed back meanwhile', async ({ db }) => {
    const store = postgresStore(db);
    const stopped = task({ keepDone: '1h' });
    const jobs = createJobs({ store, tasks: [stopped] });
    await jobs.enqueueMany(stopped, [{ payload: { n: 1 } }, { payload: { n: 2 } }]);
    const { lease, ids } = await claimBoth(store, stopped.name);
    let cancelling: Promise<unknown> | undefined;
    await transact(db, async (trx) => {
      await postgresStore(trx).finish([{ lease, id: ids[0], kind: 'back' }], []);
      cancelling = jobs.cancel(ids[0]);
      await systemClock.sleep(100);
    });
    expect(await cancelling).toBe('cancelled');
    expect(await jobs.get(ids[0])).toMatchObject({ state: 'cancelled' });
  });
});
