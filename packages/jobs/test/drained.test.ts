import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { createJobs, createWorker, type JobStore } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { task } from './open-jobs.ts';

describeDatabases('a worker', [jobsMigrations], (test) => {
  test('is drained only when what came after the last jobs has run, too', async ({ db }) => {
    for (let round = 0; round < 10; round += 1) {
      const ran: number[] = [];
      const one = task({ run: ({ n }) => void ran.push(n) });
      const jobs = createJobs({ store: postgresStore(db), tasks: [one] });
      const { id: first } = await jobs.enqueue(one, { n: 1 });
      const { id: second } = await jobs.enqueue(one, { n: 2 }, { after: [first] });
      await jobs.enqueue(one, { n: 3 }, { after: [second] });
      await using worker = createWorker({ jobs, tasks: [one.name] });
      worker.start();
      await worker.drained();
      expect(ran).toEqual([1, 2, 3]);
    }
  });

  test('that is stopped while it asks for jobs has handed them back when it is', async ({ db }) => {
    const one = task();
    const store = postgresStore(db);
    let asked = () => {};
    const hasAsked = new Promise<void>((resolve) => (asked = resolve));
    let answer = () => {};
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    const slow: JobStore = {
      ...store,
      async claim(request) {
        const claim = await store.claim(request);
        asked();
        await mayAnswer;
        return claim;
      },
    };
    const jobs = createJobs({ store: slow, tasks: [one] });
    const { id } = await jobs.enqueue(one, { n: 1 });
    const worker = createWorker({ jobs, tasks: [one.name] });
    worker.start();
    await hasAsked;
    const stopped = worker.stop();
    answer();
    await stopped;
    expect((await jobs.get(id))?.state).toBe('ready');
  });
});
