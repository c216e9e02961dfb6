import { systemClock } from '@svc/core';
import { connect, migrate, transact } from '@svc/db';
import { createJobs, createWorker, defineTask } from '@svc/jobs';
import { jobsMigrations } from '@svc/jobs/migrations';
import { postgresStore } from '@svc/jobs/postgres';
import { sql } from 'kysely';
import * as v from 'valibot';
import { chunks, type OpenQueue } from './queue.ts';

/** Ours; `keepDone` says whether jobs that are done are kept, with their attempts. */
export const svcQueue =
  ({ keepDone }: { keepDone: boolean }): OpenQueue =>
  async (url) => {
    const { db, close } = await connect(url, { poolSize: 32 });
    await migrate(db, [jobsMigrations]);
    let ran = 0;
    const task = defineTask({
      name: 'bench.noop',
      payload: v.object({ n: v.number() }),
      run: () => void (ran += 1),
    });
    const store = postgresStore(db);
    const jobs = createJobs({ store, tasks: [task], keepDone: keepDone ? '1d' : false });
    const left = async () => {
      const { rows } = await sql<{ left: boolean }>`
        select exists (select from svc_jobs.ready) or exists (select from svc_jobs.leases) as left`.execute(
        db,
      );
      return rows[0]?.left ?? true;
    };
    return {
      name: keepDone ? 'svc, with history' : 'svc',
      async fill(count) {
        for (const size of chunks(count))
          await jobs.enqueueMany(
            task,
            Array.from({ length: size }, (_, n) => ({ payload: { n } })),
          );
      },
      addOne: () =>
        transact(db, async (within) => void (await jobs.enqueue(task, { n: 1 }, { within }))),
      async drain(expected) {
        ran = 0;
        const worker = createWorker({ jobs, concurrency: 100 });
        worker.start();
        while (ran < expected || (await left())) await systemClock.sleep(5);
        await worker.stop();
        return ran;
      },
      clear: async () => {
        await sql`truncate svc_jobs.ready, svc_jobs.leases, svc_jobs.settled, svc_jobs.finished`.execute(
          db,
        );
      },
      [Symbol.asyncDispose]: close,
    };
  };
