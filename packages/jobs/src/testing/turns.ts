import { expect } from 'vitest';
import type { DeclarePromise, JobStoreBench } from '../testing.ts';

const many = 200;
const urgent = { priority: 8 };

/** One who waits at an ordinary priority behind the backlog of another is among the next. */
async function expectNext({ unique, add, claim }: JobStoreBench, task: string) {
  const [late] = (await add(task, { group: unique('late') })) as [string];
  expect((await claim(task, { max: 3 })).ids).toContain(late);
}

/** Turns are taken within each priority: what is urgent moves nothing in the others. */
export function turnPromises(promise: DeclarePromise): void {
  for (const owner of ['a group', 'no group'] as const)
    promise(
      `an urgent job of ${owner} with a backlog leaves the turns of others`,
      async (bench) => {
        const { unique, add, claim } = bench;
        const [task, group] = [unique('turns'), owner === 'a group' ? unique('big') : null];
        await add(task, ...Array.from({ length: many }, () => ({ group })));
        const [first] = await add(task, { group, ...urgent });
        expect((await claim(task, { max: 1 })).ids).toEqual([first]);
        await expectNext(bench, task);
      },
    );

  promise('jobs of several priorities in one call take turns in each of them', async (bench) => {
    const { unique, add, claim } = bench;
    const [task, big] = [unique('turns'), unique('big')];
    for (const group of [big, null]) {
      const backlog = Array.from({ length: many }, () => ({ group }));
      const ids = await add(task, ...backlog, { group, ...urgent });
      expect((await claim(task, { max: 1 })).ids).toEqual(ids.slice(-1));
    }
    await expectNext(bench, task);
  });

  promise('jobs of several priorities whose hour comes take turns in each', async (bench) => {
    const { unique, add, claim, wait } = bench;
    const [task, big] = [unique('turns'), unique('big')];
    for (const group of [big, null]) {
      const backlog = Array.from({ length: many }, () => ({ group, delayMs: 50 }));
      const ids = await add(task, ...backlog, { group, delayMs: 50, ...urgent });
      await wait(60);
      expect((await claim(task, { max: 1 })).ids).toEqual(ids.slice(-1));
    }
    await expectNext(bench, task);
  });

  promise('what comes back is in front of its priority, whatever was urgent', async (bench) => {
    const { unique, add, claim, wait } = bench;
    const [task, group] = [unique('turns'), unique('big')];
    await add(task, ...Array.from({ length: many }, () => ({ group })));
    const returned = await claim(task, { max: 1 });
    const lost = await claim(task, { max: 1, leaseMs: 100 });
    await add(task, { group, ...urgent });
    await claim(task, { max: 1 });
    await returned.finish({ kind: 'back' });
    await wait(110);
    const { ids } = await claim(task, { max: 2 });
    expect(ids.toSorted()).toEqual([...returned.ids, ...lost.ids].toSorted());
  });
}
