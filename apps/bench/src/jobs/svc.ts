import { systemClock } from '@svc/core';
import { connect, type Db, migrate, transact } from '@svc/db';
import { type AnyTask, createJobs, createWorker, defineTask, type JobsOptions } from '@svc/jobs';
import { jobsMigrations } from '@svc/jobs/migrations';
import { postgresStore } from '@svc/jobs/postgres';
import { sql } from 'kysely';
import * as v from 'valibot';
import { chunks, type OpenQueue } from './queue.ts';

interface SvcQueueOptions {
  /** Whether jobs that are done are kept, with their attempts. */
  readonly keepDone: boolean;
  /** What it is called beside others of ours. */
  readonly name?: string;
  readonly limits?: JobsOptions<readonly AnyTask[]>['limits'];
  /** The group of the job of a number. */
  readonly groupOf?: (n: number) => string;
  /** Fills the database before anything is measured. */
  readonly prepare?: (db: Db) => Promise<unknown>;
}

export const svcQueue =
  ({ keepDone, name, limits, groupOf, prepare }: SvcQueueOptions): OpenQueue =>
  async (url) => {
    const { db, close } = await connect(url, { poolSize: 32 });
    await migrate(db, [jobsMigrations]);
    await prepare?.(db);
    let ran = 0;
    const task = defineTask({
      name: 'bench.noop',
      payload: v.object({ n: v.number() }),
      run: () => void (ran += 1),
    });
    const store = postgresStore(db);
    const jobs = createJobs({
      store,
      tasks: [task],
      keepDone: keepDone ? '1d' : false,
      ...(limits !== undefined && { limits }),
    });
    const left = async () => {
      const { rows } = await sql<{ left: boolean }>`
        select exists (select from svc_jobs.ready) or exists (select from svc_jobs.leases) as left`.execute(
        db,
      );
      return rows[0]?.left ?? true;
    };
    return {
      name: name ?? (keepDone ? 'svc, with history' : 'svc'),
      async fill(count) {
        for (const size of chunks(count))
          await jobs.enqueueMany(
            task,
            Array.from({ length: size }, (_, n) => ({
              payload: { n },
              ...(groupOf !== undefined && { group: groupOf(n) }),
            })),
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
