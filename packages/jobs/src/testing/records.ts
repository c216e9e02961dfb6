import { expect } from 'vitest';
import type { DeclarePromise } from '../testing.ts';

const keepMs = 60_000;

/** Unique keys, and what is kept of jobs. */
export function recordPromises(promise: DeclarePromise): void {
  promise('of 50 at once with one unique key one is stored', async (bench) => {
    const { stores, unique, newJob, claim } = bench;
    const [task, uniqueKey] = [unique('unique'), unique('key')];
    const attributes = { uniqueKey, uniqueUntil: 'finished' as const };
    const all = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        (stores[i % 2] ?? stores[0]).enqueue([newJob(task, { attributes })]),
      ),
    );
    const stored = all.flat().filter(({ isDuplicate }) => !isDuplicate);
    expect(stored).toHaveLength(1);
    expect(new Set(all.flat().map(({ id }) => id)).size).toBe(1);
    expect((await claim(task)).ids).toEqual(stored.map(({ id }) => id));
  });

  for (const until of ['started', 'finished', 'removed'] as const)
    promise(`a unique key is taken until its job is ${until}`, async (bench) => {
      const { stores, unique, newJob, claim, wait } = bench;
      const [task, uniqueKey] = [unique('until'), unique('key')];
      const attributes = { uniqueKey, uniqueUntil: until, keepMs: 100 };
      const isTaken = async () => {
        const probe = newJob(`${task}.probe`, {
          attributes: { uniqueKey, uniqueUntil: 'finished' },
        });
        const [stored] = await stores[0].enqueue([probe]);
        if (stored?.isDuplicate === false) await stores[0].cancel(probe.id);
        return stored?.isDuplicate;
      };
      await stores[0].enqueue([newJob(task, { attributes })]);
      expect(await isTaken()).toBe(true);
      const taken = await claim(task);
      expect(await isTaken()).toBe(until !== 'started');
      await taken.finish();
      expect(await isTaken()).toBe(until === 'removed');
      await wait(110);
      await stores[0].purge();
      expect(await isTaken()).toBe(false);
    });

  promise('two of one call with one unique key are one job', async (bench) => {
    const { stores, unique, newJob, claim } = bench;
    const [task, uniqueKey] = [unique('twice'), unique('key')];
    const attributes = { uniqueKey, uniqueUntil: 'finished' as const };
    const jobs = [newJob(task, { attributes }), newJob(task), newJob(task, { attributes })];
    const stored = await stores[0].enqueue(jobs);
    expect(stored.map(({ isDuplicate }) => isDuplicate)).toEqual([false, false, true]);
    expect(stored[2]?.id).toBe(stored[0]?.id);
    expect((await claim(task)).ids).toHaveLength(2);
  });

  promise('dead letters are replayed by filter, with fresh attempts', async (bench) => {
    const { stores, unique, add, claim } = bench;
    const [task, group] = [unique('dead'), unique('group')];
    const ids = await add(task, { group }, {}, {});
    const error = { kind: 'dead', error: 'broken' } as const;
    await (await claim(task)).finish(error, error, error);
    expect(await stores[0].replayDead({ task, group }, 10)).toBe(1);
    expect((await claim(task)).ids).toEqual([ids[0]]);
    expect(await stores[0].replayDead({ ids: [ids[1] as string] }, 10)).toBe(1);
    const [job] = await stores[0].list({ state: 'ready', task, limit: 10 });
    expect(job).toMatchObject({ id: ids[1], attempts: 0, errors: [{ message: 'broken' }] });
    expect(await stores[0].purgeDead({ task }, 10)).toBe(1);
    expect(await stores[0].get(ids[2] as string)).toBeUndefined();
  });

  promise('50 who replay one dead letter at once run it once', async (bench) => {
    const { stores, unique, add, claim } = bench;
    const task = unique('replayed');
    const [id] = await add(task, {});
    await (await claim(task)).finish({ kind: 'dead', error: 'broken' });
    const states = await Promise.all(
      Array.from({ length: 50 }, (_, i) => (stores[i % 2] ?? stores[0]).retry(id as string)),
    );
    expect(states.filter((state) => state === 'dead')).toHaveLength(1);
    expect((await claim(task)).ids).toEqual([id]);
  });

  promise('a job that waits is cancelled, one that runs is asked to end', async (bench) => {
    const { stores, unique, add, claim } = bench;
    const task = unique('cancel');
    const attributes = { keepMs };
    const [a, b, c] = (await add(task, { attributes }, { delayMs: 9999 }, {})) as [
      string,
      string,
      string,
    ];
    expect(await stores[0].cancel(a)).toBe('ready');
    expect(await stores[0].cancel(b)).toBe('scheduled');
    const taken = await claim(task);
    expect(taken.ids).toEqual([c]);
    expect(await stores[1].cancel(c)).toBe('running');
    expect(await stores[0].heartbeat([taken.lease], keepMs)).toEqual({ lost: [], cancelled: [c] });
    expect(await stores[0].get(a)).toMatchObject({ state: 'cancelled' });
    expect(await stores[0].get(b)).toBeUndefined();
    expect(await stores[0].cancel(a)).toBe('cancelled');
    expect(await stores[0].cancel(b)).toBeUndefined();
  });

  for (const ending of [{ kind: 'back' }, { kind: 'retry', delayMs: 0, error: 'broken' }] as const)
    promise(
      `a job that was cancelled while it ran is over after '${ending.kind}'`,
      async (bench) => {
        const { stores, unique, add, claim, newJob } = bench;
        const [task, uniqueKey] = [unique('cancelled'), unique('key')];
        const [id, free, other] = (await add(
          task,
          { attributes: { keepMs } },
          { attributes: { uniqueKey, uniqueUntil: 'removed' } },
          {},
        )) as [string, string, string];
        const taken = await claim(task);
        for (const each of [id, free]) expect(await stores[1].cancel(each)).toBe('running');
        expect(await taken.finish(ending, ending, ending)).toEqual([]);
        expect(await stores[0].get(id)).toMatchObject({ state: 'cancelled', attempts: 1 });
        expect(await stores[0].get(free)).toBeUndefined();
        const attributes = { uniqueKey, uniqueUntil: 'finished' as const };
        const [stored] = await stores[0].enqueue([newJob(unique('probe'), { attributes })]);
        expect(stored?.isDuplicate).toBe(false);
        expect((await claim(task)).ids).toEqual([other]);
      },
    );

  promise(
    'a job that was cancelled while it ran is over when its worker is lost',
    async (bench) => {
      const { stores, unique, add, claim, newJob, wait } = bench;
      const [task, uniqueKey] = [unique('cancelled'), unique('key')];
      const [id, last, free, other] = (await add(
        task,
        { attributes: { keepMs } },
        { attributes: { keepMs }, maxAttempts: 1 },
        { attributes: { uniqueKey, uniqueUntil: 'removed' } },
        {},
      )) as [string, string, string, string];
      const { lease } = await claim(task, { leaseMs: 100 });
      for (const each of [id, last, free]) expect(await stores[1].cancel(each)).toBe('running');
      await wait(110);
      expect((await claim(task)).ids).toEqual([other]);
      for (const each of [id, last])
        expect(await stores[0].get(each)).toMatchObject({ state: 'cancelled', attempts: 1 });
      expect(await stores[0].get(free)).toBeUndefined();
      const attributes = { uniqueKey, uniqueUntil: 'finished' as const };
      const [stored] = await stores[0].enqueue([newJob(unique('probe'), { attributes })]);
      expect(stored?.isDuplicate).toBe(false);
      const late = { lease, id, kind: 'done', result: null } as const;
      expect(await stores[0].finish([late], [lease])).toEqual([late]);
    },
  );

  promise('lists have the newest first, and go on where they ended', async (bench) => {
    const { stores, unique, add } = bench;
    const task = unique('list');
    const ids = await add(task, {}, {}, {}, {}, {});
    const first = await stores[0].list({ state: 'ready', task, limit: 2 });
    expect(first.map(({ id }) => id)).toEqual([ids[4], ids[3]]);
    const below = ids[3] as string;
    const rest = await stores[0].list({ state: 'ready', task, limit: 9, below });
    expect(rest.map(({ id }) => id)).toEqual([ids[2], ids[1], ids[0]]);
  });

  promise('progress is seen while the job runs, a result as long as it is kept', async (bench) => {
    const { stores, unique, add, claim, wait } = bench;
    const task = unique('result');
    const [id] = (await add(task, { attributes: { keepMs: 100 } })) as [string];
    const taken = await claim(task);
    await stores[0].progress(taken.lease, id, '{"percent":10}');
    await stores[0].progress(taken.lease, id, '{"percent":20}');
    expect(await stores[1].get(id)).toMatchObject({ state: 'running', progress: { percent: 20 } });
    await taken.finish({ kind: 'done', result: '{"rows":3}' });
    await stores[0].progress(taken.lease, id, '{"percent":30}');
    expect(await stores[1].get(id)).toMatchObject({ state: 'done', result: { rows: 3 } });
    expect((await stores[1].get(id))?.progress).toBeUndefined();
    await wait(110);
    expect(await stores[0].purge()).toBeGreaterThanOrEqual(1);
    expect(await stores[1].get(id)).toBeUndefined();
  });

  promise('figures count what there is', async ({ stores, unique, add, claim }) => {
    const task = unique('stats');
    await add(task, {}, {}, { delayMs: 9999 }, {});
    await claim(task, { max: 1 });
    const { tasks, workers } = await stores[0].stats();
    expect(tasks[task]).toEqual({ ready: 2, scheduled: 1, running: 1 });
    expect(workers).toBeGreaterThanOrEqual(1);
  });
}
