import { systemClock, uuidv7 } from '@svc/core';
import { connect, type Connection, transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import { createJobs, type JobStore } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { task } from './open-jobs.ts';

const test = databaseTest([jobsMigrations]);
const deadRows = 100_000;
const numbered = task();

/** Claims as a worker for all tasks does, and ends what it got. */
async function take(store: JobStore, max = 1) {
  const lease = uuidv7();
  const request = { lease, worker: 'w', max, leaseMs: 60_000 };
  const began = systemClock.elapsedMs();
  const { jobs } = await store.claim({ ...request, tasks: undefined, limits: undefined });
  const tookMs = systemClock.elapsedMs() - began;
  const outcomes = jobs.map(({ id }) => ({ lease, id, kind: 'done', result: null }) as const);
  if (jobs.length > 0) await store.finish(outcomes, [lease]);
  return { ids: jobs.map(({ id }) => id), tookMs };
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

describe('under a snapshot that keeps every dead row', () => {
  let holder: Connection;
  let release = () => {};
  let held: Promise<unknown>;
  test.beforeAll(async ({ db, database }) => {
    holder = await connect(database.urls?.url ?? '', { poolSize: 1 });
    const gate = new Promise<void>((resolve) => (release = resolve));
    const isHeld = new Promise<void>((resolve) => {
      held = transact(
        holder.db,
        async (trx) => {
          await sql`select 1`.execute(trx);
          resolve();
          await gate;
        },
        { isolation: 'repeatable read' },
      );
    });
    await isHeld;
    const store = postgresStore(db);
    const jobs = createJobs({ store, tasks: [numbered], keepDone: false });
    for (let n = 0; n < deadRows; n += 1000) {
      await jobs.enqueueMany(
        numbered,
        Array.from({ length: 1000 }, (_, i) => ({ payload: { n: n + i } })),
      );
      await take(store, 1000);
    }
  }, 60_000);
  test.afterAll(async () => {
    release();
    await held;
    await holder.close();
  });

  const add = async (store: JobStore, count: number) => {
    const jobs = createJobs({ store, tasks: [numbered], keepDone: false });
    const items = Array.from({ length: count }, (_, n) => ({ payload: { n } }));
    return (await jobs.enqueueMany(numbered, items)).map(({ id }) => id);
  };

  test('claims are as fast as if there were none', async ({ db }) => {
    const store = postgresStore(db);
    await add(store, 200);
    await take(store);
    const [begun, whole]: [number[], number[]] = [[], []];
    for (let i = 0; i < 19; i += 1) {
      begun.push((await take(store)).tookMs);
      // A store that knows no floor yet looks at everything.
      whole.push((await take(postgresStore(db))).tookMs);
    }
    expect(median(begun) * 2).toBeLessThan(median(whole));
    while ((await take(store, 100)).ids.length > 0);
  }, 30_000);

  test('what is committed late, before the floor, is found with the next look at everything', async ({
    db,
  }) => {
    const store = postgresStore(db);
    const jobs = createJobs({ store, tasks: [numbered], keepDone: false });
    let others: readonly string[] = [];
    const late = await transact(db, async (trx) => {
      const { id } = await jobs.enqueue(numbered, { n: 0 }, { within: trx });
      others = await add(store, 60);
      expect((await take(store)).ids).toEqual(others.slice(0, 1));
      return id;
    });
    const order: string[] = [];
    for (let i = 0; i < 60; i += 1) order.push(...(await take(store)).ids);
    expect(order.toSorted()).toEqual([late, ...others.slice(1)].toSorted());
    // The claims in between began at the floor: without one the job would come first.
    expect(order.indexOf(late)).toBeGreaterThan(0);
    expect(order.indexOf(late)).toBeLessThanOrEqual(20);
  }, 30_000);

  test('of many that enqueue and commit whenever they like, no job is missed or taken twice', async ({
    db,
  }) => {
    const store = postgresStore(db);
    const jobs = createJobs({ store, tasks: [numbered], keepDone: false });
    await add(store, 300);
    const taken: string[] = [];
    let isOver = false;
    const workers = [store, postgresStore(db)].map(async (each) => {
      for (;;) {
        const wasOver = isOver;
        const { ids } = await take(each, 2);
        taken.push(...ids);
        if (ids.length === 0 && wasOver) return;
      }
    });
    const added = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        await systemClock.sleep(n * 10);
        return transact(db, async (trx) => {
          const { id } = await jobs.enqueue(numbered, { n }, { within: trx });
          await systemClock.sleep((n * 37) % 150);
          return id;
        });
      }),
    );
    isOver = true;
    await Promise.all(workers);
    expect(new Set(taken).size).toBe(taken.length);
    expect(taken).toHaveLength(340);
    expect(added.every((id) => taken.includes(id))).toBe(true);
  }, 30_000);
});
