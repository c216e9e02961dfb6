import { uuidv7 } from '@svc/core';
import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClaimRequest, JobStore, NewJob, Outcome } from './store.ts';
import { flowPromises } from './testing/flows.ts';
import { limitPromises } from './testing/limits.ts';
import { recordPromises } from './testing/records.ts';
import { turnPromises } from './testing/turns.ts';

export { describeScheduleStore, type OpenScheduleStores } from './schedules/testing.ts';

/** A store and a way to let its time pass. */
export interface JobStoreHarness {
  /** Two of them on the same jobs, as two processes have them; a store of one process twice. */
  stores: readonly [JobStore, JobStore];
  /** Lets at least so much of the store's time pass. */
  wait(ms: number): Promise<void>;
  close?(): Promise<void>;
}

export interface DescribeJobStoreOptions {
  /** Promises that this store does not make, and why. @default none */
  skip?: readonly SkippedPromise[];
}

/** What the promises are written with. Each test has tasks, groups and keys of its own. */
export interface JobStoreBench {
  readonly stores: readonly [JobStore, JobStore];
  wait(ms: number): Promise<void>;
  /** A name nobody else has. */
  unique(prefix: string): string;
  newJob(task: string, changes?: Partial<NewJob>): NewJob;
  add(task: string, ...changes: Partial<NewJob>[]): Promise<readonly string[]>;
  claim(task: string, changes?: Partial<ClaimRequest>, by?: JobStore): Promise<Taken>;
}

/** What a claim got. */
export interface Taken {
  readonly lease: string;
  readonly ids: readonly string[];
  /** Ends all of it, in the order given; gives what was refused. */
  finish(...endings: Ending[]): Promise<readonly Outcome[]>;
}

type WithoutPlace<O> = O extends Outcome ? Omit<O, 'lease' | 'id'> : never;
export type Ending = WithoutPlace<Outcome>;

export type DeclarePromise = (title: string, run: (bench: JobStoreBench) => Promise<void>) => void;

const done: Ending = { kind: 'done', result: null };
const longMs = 60_000;

/** The promises of `JobStore`, as tests: run it on every store. Those of a store with `flows` are `describeJobFlows`. */
export const describeJobStore = (
  name: string,
  open: () => JobStoreHarness | Promise<JobStoreHarness>,
  options: DescribeJobStoreOptions = {},
): void =>
  describePromises(`${name} as a job store`, open, options, [
    claimPromises,
    turnPromises,
    leasePromises,
    limitPromises,
    recordPromises,
  ]);

/** The promises of a `JobStore` with `flows`, as tests. */
export const describeJobFlows = (
  name: string,
  open: () => JobStoreHarness | Promise<JobStoreHarness>,
  options: DescribeJobStoreOptions = {},
): void => describePromises(`flows of ${name}`, open, options, [flowPromises]);

function describePromises(
  name: string,
  open: () => JobStoreHarness | Promise<JobStoreHarness>,
  { skip = [] }: DescribeJobStoreOptions,
  suites: readonly ((promise: DeclarePromise) => void)[],
): void {
  describe(name, () => {
    let harness: JobStoreHarness;
    let names = 0;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close?.());

    const declare = contractTest(test, skip);
    const promise: DeclarePromise = (title, run) => declare(title, () => run(benchOf(harness)));
    const unique = (prefix: string) => `${prefix}.${(names += 1)}.${uuidv7().slice(-8)}`;

    const benchOf = ({ stores, wait }: JobStoreHarness): JobStoreBench => {
      const newJob = (task: string, changes: Partial<NewJob> = {}): NewJob => ({
        id: uuidv7(),
        task,
        payload: '{"n":1}',
        priority: 5,
        group: null,
        cost: 1000,
        maxAttempts: 3,
        delayMs: 0,
        runAt: null,
        attributes: {},
        ...changes,
      });
      return {
        stores,
        wait,
        unique,
        newJob,
        async add(task, ...changes) {
          const added = await stores[0].enqueue(changes.map((each) => newJob(task, each)));
          return added.map(({ id }) => id);
        },
        async claim(task, changes = {}, by = stores[0]) {
          const lease = uuidv7();
          const request = { lease, worker: 'w', max: 100, leaseMs: longMs, tasks: [task] };
          const { jobs } = await by.claim({ limits: undefined, ...request, ...changes });
          return {
            lease,
            ids: jobs.map(({ id }) => id),
            finish: (...endings) =>
              by.finish(
                jobs.map(({ id }, at) => ({ lease, id, ...(endings[at] ?? done) }) as Outcome),
                [lease],
              ),
          };
        },
      };
    };
    for (const declareAll of suites) declareAll(promise);
  });
}

function claimPromises(promise: DeclarePromise): void {
  promise('of 50 claims at once each job goes to one', async ({ stores, unique, add, claim }) => {
    const task = unique('once');
    const ids = await add(task, ...Array.from({ length: 120 }, () => ({})));
    const taken = await Promise.all(
      Array.from({ length: 50 }, (_, i) => claim(task, { max: 3 }, stores[i % 2])),
    );
    const rest = await claim(task, { max: 200 });
    const all = [...taken.flatMap((each) => each.ids), ...rest.ids];
    expect(all.toSorted()).toEqual([...ids].toSorted());
  });

  promise('higher priorities come first, then who came first', async ({ unique, add, claim }) => {
    const task = unique('order');
    const [a, b, c, d] = await add(task, {}, { priority: 9 }, {}, { priority: 0 });
    expect((await claim(task)).ids).toEqual([b, a, c, d]);
  });

  promise('groups take turns by their weight', async ({ unique, add, claim }) => {
    const [task, big, small] = [unique('fair'), unique('big'), unique('small')];
    await add(task, ...Array.from({ length: 40 }, () => ({ group: big })));
    const late = await add(task, ...Array.from({ length: 4 }, () => ({ group: small, cost: 500 })));
    const { ids } = await claim(task, { max: 12 });
    // Twice the weight: by the second turn of the others all four have had theirs.
    expect(late.every((id) => ids.slice(0, 7).includes(id))).toBe(true);
    expect(ids.slice(0, 3).every((id) => late.includes(id))).toBe(false);
  });

  promise('a group that comes late does not wait for those before it', async (bench) => {
    const [task, big, small] = [bench.unique('late'), bench.unique('big'), bench.unique('small')];
    await bench.add(task, ...Array.from({ length: 60 }, () => ({ group: big })));
    await bench.claim(task, { max: 30 });
    const [late] = await bench.add(task, { group: small });
    expect((await bench.claim(task, { max: 3 })).ids).toContain(late);
  });

  promise('a job is not ready before its hour, and then it is', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('later');
    const [id] = await add(task, { delayMs: 150 });
    expect((await claim(task)).ids).toEqual([]);
    expect(await stores[0].get(id as string)).toMatchObject({ state: 'scheduled' });
    await wait(160);
    expect((await claim(task)).ids).toEqual([id]);
  });

  promise('what comes next is said', async ({ stores, unique, add }) => {
    const task = unique('next');
    await add(task, { delayMs: 5000 });
    const request = { lease: uuidv7(), worker: 'w', max: 1, leaseMs: longMs, tasks: [task] };
    const { nextInMs } = await stores[0].claim({ ...request, limits: undefined });
    expect(nextInMs).toBeLessThanOrEqual(5000);
  });

  promise('nothing of a paused task is claimed', async ({ stores, unique, add, claim }) => {
    const task = unique('paused');
    const [id] = await add(task, {});
    await stores[0].pause(task);
    expect((await claim(task, {}, stores[1])).ids).toEqual([]);
    expect((await stores[1].stats()).paused).toContain(task);
    await stores[1].resume(task);
    expect((await claim(task)).ids).toEqual([id]);
  });

  promise('what is stored comes back as it was', async ({ stores, unique, add, claim }) => {
    const task = unique('payload');
    const payload = { text: 'ä\u0000\\u{1F600}"\'', list: [1, 2.5, null, true], deep: { a: {} } };
    const attributes = { tenantId: 't', traceparent: '00-1-2-01', timeoutMs: 5, keepMs: 9 };
    const [id] = await add(task, {
      payload: JSON.stringify(payload),
      attributes,
      group: 'g"\\{},',
    });
    const lease = uuidv7();
    const request = { lease, worker: 'w', max: 1, leaseMs: longMs, tasks: [task] };
    const { jobs } = await stores[1].claim({ ...request, limits: undefined });
    expect(jobs).toMatchObject([{ id, task, payload, attributes, group: 'g"\\{},', attempts: 1 }]);
    expect((await claim(task)).ids).toEqual([]);
  });
}

function leasePromises(promise: DeclarePromise): void {
  promise('a lease that is not renewed is taken back, at once', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('lost');
    const [first, second] = await add(task, {}, {});
    const lost = await claim(task, { leaseMs: 100 });
    await wait(110);
    const again = await claim(task, {}, stores[1]);
    expect(again.ids.toSorted()).toEqual([first, second].toSorted());
    expect(await stores[0].heartbeat([lost.lease], longMs)).toMatchObject({ lost: [lost.lease] });
    const found = await stores[0].get(first as string);
    expect(found).toMatchObject({ attempts: 2, errors: [{ attempt: 1 }] });
  });

  promise('what comes too late is refused, and changes nothing', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('stale');
    const [id] = await add(task, { attributes: { keepMs: longMs } });
    const stale = await claim(task, { leaseMs: 100 });
    await wait(110);
    const current = await claim(task, {}, stores[1]);
    expect(current.ids).toEqual([id]);
    for (const ending of [
      { kind: 'done', result: '"stale"' },
      { kind: 'retry', delayMs: 0, error: 'stale' },
      { kind: 'dead', error: 'stale' },
      { kind: 'back' },
      { kind: 'cancelled' },
    ] as const)
      expect(await stale.finish(ending)).toMatchObject([{ id }]);
    expect(await stores[0].get(id as string)).toMatchObject({ state: 'running', attempts: 2 });
    expect(await current.finish({ kind: 'done', result: '"current"' })).toEqual([]);
    expect(await stores[0].get(id as string)).toMatchObject({ state: 'done', result: 'current' });
    expect(await current.finish({ kind: 'done', result: '"twice"' })).toMatchObject([{ id }]);
  });

  promise('of an ending and the end of the lease, at once, one counts', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('race');
    for (let round = 0; round < 10; round += 1) {
      const ids = await add(task, ...Array.from({ length: 5 }, () => ({})));
      const first = await claim(task, { leaseMs: 100 });
      await wait(101);
      const [refused, again] = await Promise.all([first.finish(), claim(task, {}, stores[1])]);
      const refusedIds = refused.map(({ id }) => id);
      expect(again.ids.toSorted()).toEqual(refusedIds.toSorted());
      expect(refused.length === 0 || refused.length === ids.length).toBe(true);
      await again.finish();
    }
  });

  promise('a lease that is renewed stays', async ({ stores, unique, add, claim, wait }) => {
    const task = unique('renewed');
    await add(task, {});
    const held = await claim(task, { leaseMs: 200 });
    for (let i = 0; i < 3; i += 1) {
      await wait(100);
      const answer = await stores[0].heartbeat([held.lease], 200);
      expect(answer).toEqual({ lost: [], cancelled: [] });
    }
    expect((await claim(task, {}, stores[1])).ids).toEqual([]);
    expect(await held.finish()).toEqual([]);
  });

  promise('of a lease that is lost, what had its ending stays ended', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('partly');
    const [a, b, c] = await add(task, {}, {}, {});
    const { lease } = await claim(task, { leaseMs: 100 });
    const half: Outcome[] = [
      { lease, id: a as string, kind: 'done', result: null },
      { lease, id: b as string, kind: 'dead', error: 'no' },
    ];
    expect(await stores[0].finish(half, [])).toEqual([]);
    await wait(110);
    expect((await claim(task)).ids).toEqual([c]);
  });

  promise('a worker lost in the last attempt leaves a dead letter', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('poison');
    const [id] = await add(task, { maxAttempts: 2 });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect((await claim(task, { leaseMs: 100 })).ids).toEqual([id]);
      await wait(110);
    }
    expect((await claim(task)).ids).toEqual([]);
    expect(await stores[0].get(id as string)).toMatchObject({ state: 'dead', attempts: 2 });
    expect((await stores[0].get(id as string))?.errors).toHaveLength(2);
  });

  promise('what is handed back is ready at once, and its attempt does not count', async (bench) => {
    const { unique, add, claim, stores } = bench;
    const task = unique('back');
    const [id] = await add(task, {});
    await (await claim(task)).finish({ kind: 'back' });
    expect(await stores[0].get(id as string)).toMatchObject({ state: 'ready', attempts: 0 });
    expect((await claim(task)).ids).toEqual([id]);
    expect(await stores[0].get(id as string)).toMatchObject({ attempts: 1, errors: [] });
  });

  promise('a retry waits as long as it is told', async ({ unique, add, claim, wait, stores }) => {
    const task = unique('retry');
    const [id] = await add(task, {});
    await (await claim(task)).finish({ kind: 'retry', delayMs: 150, error: 'first' });
    expect((await claim(task)).ids).toEqual([]);
    await wait(160);
    await (await claim(task)).finish({ kind: 'retry', delayMs: 0, error: 'second' });
    expect((await claim(task)).ids).toEqual([id]);
    const errors = (await stores[0].get(id as string))?.errors.map(({ message }) => message);
    expect(errors).toEqual(['first', 'second']);
  });
}
