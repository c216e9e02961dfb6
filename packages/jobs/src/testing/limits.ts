import { expect } from 'vitest';
import type { DeclarePromise } from '../testing.ts';

const none = { tasks: {}, groups: {} };

/** Limits over all claims. */
export function limitPromises(promise: DeclarePromise): void {
  promise('of 50 claims at once never more run than the limit of a task', async (bench) => {
    const { stores, unique, add, claim } = bench;
    const task = unique('limited');
    await add(task, ...Array.from({ length: 60 }, () => ({})));
    const limits = { ...none, tasks: { [task]: { concurrency: 7 } } };
    const taken = await Promise.all(
      Array.from({ length: 50 }, (_, i) => claim(task, { max: 3, limits }, stores[i % 2])),
    );
    const holding = taken.filter(({ ids }) => ids.length > 0);
    expect(holding.flatMap(({ ids }) => ids)).toHaveLength(7);
    const [first] = holding;
    await first?.finish();
    const more = await claim(task, { limits });
    expect(more.ids).toHaveLength(first?.ids.length ?? 0);
  });

  promise('each group has its own limit, and a full one is not in the way', async (bench) => {
    const { unique, add, claim } = bench;
    const [task, a, b] = [unique('groups'), unique('a'), unique('b')];
    await add(task, ...Array.from({ length: 30 }, () => ({ group: a })));
    const ofB = await add(task, { group: b }, { group: b }, { group: b });
    const limits = { ...none, eachGroup: { concurrency: 2 }, groups: { [b]: { concurrency: 1 } } };
    const first = await claim(task, { limits });
    expect(first.ids).toHaveLength(3);
    expect(first.ids.filter((id) => ofB.includes(id))).toHaveLength(1);
    expect((await claim(task, { limits })).ids).toEqual([]);
    await first.finish();
    expect((await claim(task, { limits })).ids).toHaveLength(3);
  });

  promise('a lost worker gives back what it had of a limit', async (bench) => {
    const { unique, add, claim, wait } = bench;
    const task = unique('freed');
    await add(task, {}, {});
    const limits = { ...none, tasks: { [task]: { concurrency: 1 } } };
    expect((await claim(task, { limits, leaseMs: 100 })).ids).toHaveLength(1);
    expect((await claim(task, { limits })).ids).toEqual([]);
    await wait(110);
    expect((await claim(task, { limits })).ids).toHaveLength(1);
  });

  promise('what ends while others of its lease run makes room', async (bench) => {
    const { stores, unique, add, claim } = bench;
    const task = unique('partly-freed');
    await add(task, {}, {}, {});
    const limits = { ...none, tasks: { [task]: { concurrency: 2 } } };
    const { lease, ids } = await claim(task, { limits });
    expect(ids).toHaveLength(2);
    await stores[0].finish([{ lease, id: ids[0] as string, kind: 'done', result: null }], []);
    expect((await claim(task, { limits })).ids).toHaveLength(1);
  });

  promise('no more start in a time than the rate says', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('rate');
    await add(task, ...Array.from({ length: 40 }, () => ({})));
    const limits = { ...none, tasks: { [task]: { rate: { quota: 5, perMs: 60_000 } } } };
    const taken = await Promise.all(
      Array.from({ length: 20 }, (_, i) => claim(task, { max: 3, limits }, stores[i % 2])),
    );
    expect(taken.flatMap(({ ids }) => ids)).toHaveLength(5);
    const faster = { ...none, tasks: { [task]: { rate: { quota: 5, perMs: 500 } } } };
    await wait(120);
    expect((await claim(task, { limits: faster })).ids.length).toBeLessThanOrEqual(5);
  });

  promise('a rate has room again after its time', async ({ unique, add, claim, wait }) => {
    const task = unique('rate-again');
    await add(task, ...Array.from({ length: 10 }, () => ({})));
    const limits = { ...none, tasks: { [task]: { rate: { quota: 2, perMs: 400 } } } };
    expect((await claim(task, { limits })).ids).toHaveLength(2);
    expect((await claim(task, { limits })).ids).toHaveLength(0);
    await wait(210);
    expect((await claim(task, { limits, max: 1 })).ids).toHaveLength(1);
  });
}
