import { systemClock } from '@svc/core';
import { connect, migrate } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { createJobs, createWorker, defineTask } from '@svc/jobs';
import { jobsMigrations } from '@svc/jobs/migrations';
import { postgresStore } from '@svc/jobs/postgres';
import { sql } from 'kysely';
import * as v from 'valibot';
import type { Benchmark, Prepared } from '../benchmark.ts';
import { chunks } from '../jobs/queue.ts';
import { atSteadyRate } from '../load.ts';

const backlog = 100_000;

/** How long a tenant waits whose neighbour has filled the queue. */
export const jobsFair: Benchmark = {
  name: 'jobs-fair',
  summary: `a job of one tenant each 100 ms, until it starts, alone and beside ${backlog} of another`,
  reference: 'alone',
  goals: [{ variant: 'beside another', figure: 'p99Ms', dividedBy: 'alone', atMost: 2 }],
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  const { db, close } = await connect(server.ownerUrl, { poolSize: 10 });
  await migrate(db, [jobsMigrations]);
  const started = new Map<number, () => void>();
  const task = defineTask({
    name: 'bench.turn',
    payload: v.object({ n: v.number() }),
    run: ({ n }) => (n < 0 ? systemClock.sleep(2) : started.get(n)?.()),
  });
  const jobs = createJobs({ store: postgresStore(db), tasks: [task], keepDone: false });
  let number = 0;
  const one = async () => {
    const n = (number += 1);
    const start = new Promise<void>((resolve) => started.set(n, resolve));
    await jobs.enqueue(task, { n }, { group: 'quiet' });
    await start;
    started.delete(n);
  };
  const run = (isBeside: boolean) => async (durationMs: number) => {
    await sql`truncate svc_jobs.ready, svc_jobs.leases, svc_jobs.settled`.execute(db);
    if (isBeside)
      for (const size of chunks(backlog))
        await jobs.enqueueMany(
          task,
          Array.from({ length: size }, () => ({ payload: { n: -1 }, group: 'busy' })),
        );
    const worker = createWorker({ jobs, concurrency: 10 });
    worker.start();
    const until = systemClock.sleep(Math.max(durationMs, 5000));
    const sample = await atSteadyRate({ everyMs: 100, until }, one);
    await worker.stop({ graceMs: 1000 });
    return sample;
  };
  return {
    variants: [
      { name: 'alone', run: run(false) },
      { name: 'beside another', run: run(true) },
    ],
    [Symbol.asyncDispose]: close,
  };
}
