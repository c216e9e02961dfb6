import { expect } from 'vitest';
import type { DeclarePromise, Ending, JobStoreBench } from '../testing.ts';

const keepMs = 60_000;
const kept = { attributes: { keepMs } };
const broken: Ending = { kind: 'dead', error: 'broken' };

/** What the promises about one waiting job begin with: it, and those it waits for. */
async function openFlow(
  { stores, unique, add, newJob }: JobStoreBench,
  { count = 2, onFailure }: { count?: number; onFailure?: 'wait' | 'fail' | 'run' } = {},
) {
  const [task, last] = [unique('awaited'), unique('last')];
  const awaited = await add(task, ...Array.from({ length: count }, () => kept));
  const attributes = { keepMs, ...(onFailure !== undefined && { onFailure }) };
  const { id } = newJob(last);
  await stores[0].enqueue([newJob(last, { id, after: awaited, attributes })]);
  const state = async () => (await stores[1].get(id))?.state;
  return { task, last, id, awaited: awaited as [string, string], state };
}

/** Jobs that wait for others, of a store with `flows`. */
export function flowPromises(promise: DeclarePromise): void {
  endingPromises(promise);
  failurePromises(promise);
  flowRacePromises(promise);
}

function endingPromises(promise: DeclarePromise): void {
  promise('a job that waits for others is ready when the last of them is done', async (bench) => {
    const { claim, stores } = bench;
    const { task, last, id, awaited, state } = await openFlow(bench);
    expect(await state()).toBe('waiting');
    expect((await stores[0].stats()).tasks[last]).toEqual({ waiting: 1 });
    const first = await claim(task, { max: 1 });
    await first.finish({ kind: 'done', result: '"first"' });
    expect((await claim(last)).ids).toEqual([]);
    expect(await stores[0].flows?.countAwaited(id)).toEqual({
      open: 1,
      done: 1,
      dead: 0,
      cancelled: 0,
    });
    const second = await claim(task, {}, stores[1]);
    await second.finish({ kind: 'retry', delayMs: 0, error: 'not yet' });
    expect(await state()).toBe('waiting');
    await (await claim(task)).finish({ kind: 'done', result: '{"n":2}' });
    expect(await state()).toBe('ready');
    expect((await claim(last)).ids).toEqual([id]);
    expect(await stores[1].flows?.awaited(id)).toEqual([
      { id: awaited[0], state: 'done', result: 'first' },
      { id: awaited[1], state: 'done', result: { n: 2 } },
    ]);
  });

  promise('what has ended already is not waited for, and its result is known', async (bench) => {
    const { stores, unique, add, claim, newJob } = bench;
    const [task, last] = [unique('over'), unique('last')];
    const [done] = (await add(task, kept)) as [string];
    await (await claim(task)).finish({ kind: 'done', result: '7' });
    const job = newJob(last, { after: [done] });
    await stores[0].enqueue([job]);
    expect((await claim(last)).ids).toEqual([job.id]);
    expect(await stores[0].flows?.awaited(job.id)).toMatchObject([{ state: 'done', result: 7 }]);
  });

  promise('what ends while others of its lease run is told, with its result', async (bench) => {
    const { stores, claim } = bench;
    const { task, id, awaited } = await openFlow(bench);
    const { lease } = await claim(task);
    const part = { lease, id: awaited[1], kind: 'done', result: '"part"' } as const;
    expect(await stores[0].finish([part], [])).toEqual([]);
    expect(await stores[0].flows?.awaited(id)).toMatchObject([
      { state: 'open' },
      { state: 'done', result: 'part' },
    ]);
  });

  promise('its own hour counts as well', async (bench) => {
    const { stores, unique, add, claim, newJob, wait } = bench;
    const [task, last] = [unique('hour'), unique('last')];
    const after = await add(task, kept);
    const job = newJob(last, { after, delayMs: 400 });
    await stores[0].enqueue([job]);
    await (await claim(task)).finish();
    expect(await stores[0].get(job.id)).toMatchObject({ state: 'scheduled' });
    await wait(410);
    expect((await claim(last)).ids).toEqual([job.id]);
  });

  promise('with an id of which there is no record nothing is stored', async (bench) => {
    const { stores, unique, add, newJob } = bench;
    const task = unique('missing');
    const [there] = await add(task, {});
    const unknown = newJob(task).id;
    const refused = stores[0].enqueue([
      newJob(task),
      newJob(task, { after: [there as string, unknown] }),
    ]);
    await expect(refused).rejects.toMatchObject({
      code: 'jobs.not_found',
      details: { missing: [unknown] },
    });
    expect((await stores[0].stats()).tasks[task]).toEqual({ ready: 1 });
  });

  promise('chains and fans come one after the other', async (bench) => {
    const { stores, unique, add, claim, newJob } = bench;
    const [task, next, last] = [unique('chain'), unique('next'), unique('last')];
    const after = await add(task, {});
    const fan = [newJob(next, { after }), newJob(next, { after })];
    await stores[0].enqueue(fan);
    const end = newJob(last, { after: fan.map(({ id }) => id) });
    await stores[0].enqueue([end]);
    await (await claim(task)).finish();
    expect((await claim(last)).ids).toEqual([]);
    await (await claim(next)).finish();
    expect((await claim(last)).ids).toEqual([end.id]);
  });

  promise('nothing is left of a flow of which no record is kept', async (bench) => {
    const { stores, unique, add, claim, newJob, wait } = bench;
    const [task, last] = [unique('unkept'), unique('last')];
    const after = await add(task, {});
    const [unkept, short] = [newJob(last, { after }), newJob(last, { after })];
    await stores[0].enqueue([unkept, { ...short, attributes: { keepMs: 100 } }]);
    await (await claim(task)).finish();
    const taken = await claim(last);
    expect(await stores[0].flows?.awaited(unkept.id)).toHaveLength(1);
    await taken.finish();
    expect(await stores[0].flows?.awaited(unkept.id)).toEqual([]);
    expect(await stores[0].flows?.awaited(short.id)).toHaveLength(1);
    await wait(110);
    await stores[0].purge();
    expect(await stores[0].flows?.awaited(short.id)).toEqual([]);
  });
}

function failurePromises(promise: DeclarePromise): void {
  promise('who waits does so until the dead letter is replayed and done', async (bench) => {
    const { claim, stores } = bench;
    const { task, last, id, awaited, state } = await openFlow(bench);
    await (await claim(task)).finish(broken);
    expect(await state()).toBe('waiting');
    expect(await stores[0].flows?.countAwaited(id)).toMatchObject({ done: 1, dead: 1 });
    expect(await stores[0].retry(awaited[0])).toBe('dead');
    expect(await stores[0].flows?.countAwaited(id)).toMatchObject({ open: 1, dead: 0 });
    await (await claim(task)).finish();
    expect((await claim(last)).ids).toEqual([id]);
  });

  promise('who fails is a dead letter with it, and so on', async (bench) => {
    const { claim, stores, unique, newJob } = bench;
    const { task, id, awaited, state } = await openFlow(bench, { onFailure: 'fail' });
    const next = newJob(unique('next'), { after: [id], attributes: { onFailure: 'fail' } });
    await stores[0].enqueue([next]);
    await (await claim(task)).finish(broken);
    expect(await state()).toBe('dead');
    expect(await stores[0].get(next.id)).toMatchObject({
      state: 'dead',
      attempts: 0,
      errors: [{ attempt: 0 }],
    });
    // Replayed together, in whatever order, they wait for each other again.
    expect(await stores[0].replayDead({ ids: [next.id, id, awaited[0]] }, 10)).toBe(3);
    expect(await state()).toBe('waiting');
    expect(await stores[0].get(next.id)).toMatchObject({ state: 'waiting' });
    await (await claim(task)).finish();
    expect(await state()).toBe('ready');
  });

  promise('who runs all the same does so when all have ended, however', async (bench) => {
    const { claim, stores } = bench;
    const { task, last, id, awaited } = await openFlow(bench, { count: 3, onFailure: 'run' });
    await stores[0].cancel(awaited[1]);
    const taken = await claim(task);
    await taken.finish(broken);
    expect((await claim(last)).ids).toEqual([id]);
    const counts = { open: 0, done: 1, dead: 1, cancelled: 1 };
    expect(await stores[0].flows?.countAwaited(id)).toEqual(counts);
    // It ran: what is done about the dead letter later is not its concern.
    expect(await stores[0].replayDead({ task }, 10)).toBe(1);
    await (await claim(task)).finish();
    expect((await claim(last)).ids).toEqual([]);
  });

  promise('where one is cancelled or purged, only who runs all the same runs', async (bench) => {
    const { claim, stores } = bench;
    const cancelled = await openFlow(bench);
    expect(await stores[0].cancel(cancelled.awaited[0])).toBe('ready');
    expect(await cancelled.state()).toBe('dead');
    const purged = await openFlow(bench);
    await (await claim(purged.task)).finish(broken);
    expect(await stores[0].purgeDead({ task: purged.task }, 10)).toBe(1);
    expect(await purged.state()).toBe('dead');
    expect(await stores[0].flows?.countAwaited(purged.id)).toMatchObject({ dead: 1, done: 1 });
  });

  promise('a job that waits is cancelled like any other', async (bench) => {
    const { claim, stores } = bench;
    const { task, last, id, state } = await openFlow(bench);
    expect(await stores[0].retry(id)).toBe('waiting');
    expect(await stores[0].cancel(id)).toBe('waiting');
    await (await claim(task)).finish();
    expect(await state()).toBe('cancelled');
    expect((await claim(last)).ids).toEqual([]);
  });

  promise('a running job that was cancelled ends so for those who wait for it', async (bench) => {
    const { stores, claim, wait } = bench;
    const [handedBack, lost] = [await openFlow(bench), await openFlow(bench)];
    const taken = await claim(handedBack.task);
    expect(await stores[0].cancel(handedBack.awaited[0])).toBe('running');
    await taken.finish({ kind: 'back' });
    expect(await handedBack.state()).toBe('dead');
    await claim(lost.task, { leaseMs: 100 });
    expect(await stores[0].cancel(lost.awaited[1])).toBe('running');
    await wait(110);
    await claim(lost.task);
    expect(await lost.state()).toBe('dead');
  });

  promise('a worker lost in its last attempt is an ending, too', async (bench) => {
    const { stores, unique, add, claim, newJob, wait } = bench;
    const [task, last] = [unique('poison'), unique('last')];
    const after = await add(task, { maxAttempts: 1 });
    const job = newJob(last, { after, attributes: { onFailure: 'run' } });
    await stores[0].enqueue([job]);
    await claim(task, { leaseMs: 100 });
    await wait(110);
    expect((await claim(last)).ids).toEqual([job.id]);
  });
}

function flowRacePromises(promise: DeclarePromise): void {
  promise('however many end at once, who waits for all is ready once', async (bench) => {
    const { stores, claim } = bench;
    for (let round = 0; round < 5; round += 1) {
      const { task, last, id } = await openFlow(bench, { count: 50 });
      const taken = await Promise.all(
        Array.from({ length: 50 }, (_, i) => claim(task, { max: 1 }, stores[i % 2])),
      );
      const looks = Promise.all(
        Array.from({ length: 20 }, (_, i) => claim(last, { max: 1 }, stores[i % 2])),
      );
      await Promise.all(taken.map((each) => each.finish()));
      const ready = [...(await looks), await claim(last)].flatMap(({ ids }) => ids);
      expect(ready).toEqual([id]);
    }
  });

  promise(
    'of an ending and who comes to wait for it, at once, neither is missed',
    async (bench) => {
      const { stores, unique, add, claim, newJob } = bench;
      const [task, last] = [unique('meet'), unique('last')];
      for (let round = 0; round < 20; round += 1) {
        const after = await add(task, kept, kept);
        // Half of them end with their whole lease, half one by one.
        const taken = await claim(task, { max: round % 2 === 0 ? 2 : 1 });
        const others = round % 2 === 0 ? [] : [await claim(task)];
        const jobs = Array.from({ length: 5 }, () => newJob(last, { after }));
        await Promise.all([
          ...jobs.map((job, i) => (stores[i % 2] ?? stores[0]).enqueue([job])),
          ...[taken, ...others].map((each) => each.finish()),
        ]);
        const ready = await claim(last);
        expect(ready.ids.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
        await ready.finish();
      }
    },
  );

  promise(
    'of a late ending and the next attempt, only the one that counts is told',
    async (bench) => {
      const { stores, claim, wait } = bench;
      const { task, last, id, state } = await openFlow(bench, { count: 1 });
      const stale = await claim(task, { leaseMs: 100 });
      await wait(110);
      const current = await claim(task, {}, stores[1]);
      expect(await stale.finish()).toHaveLength(1);
      expect(await state()).toBe('waiting');
      await current.finish();
      expect((await claim(last)).ids).toEqual([id]);
    },
  );

  promise('who listens is told that a job which waited is ready', async (bench) => {
    const { stores, claim } = bench;
    const { task } = await openFlow(bench, { count: 1 });
    const taken = await claim(task);
    let heard = () => {};
    const told = new Promise<void>((resolve) => (heard = resolve));
    const listener = await stores[1].listen(
      () => heard(),
      () => {},
    );
    await taken.finish();
    await told;
    await listener[Symbol.asyncDispose]();
  });
}
