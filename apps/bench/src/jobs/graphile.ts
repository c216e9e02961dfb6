import { systemClock } from '@svc/core';
import { Logger, makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';
import { chunks, type OpenQueue } from './queue.ts';

const silent = new Logger(() => () => {});

/** graphile-worker: as it is, or with its local queue and batched completions. */
export const graphileQueue =
  ({ batched }: { batched: boolean }): OpenQueue =>
  async (url) => {
    const pool = new pg.Pool({ connectionString: url, max: 32 });
    const utils = await makeWorkerUtils({ pgPool: pool, logger: silent });
    await utils.migrate();
    let ran = 0;
    const left = async () => {
      const { rows } = await pool.query<{ left: boolean }>(
        'select exists (select from graphile_worker.jobs) as left',
      );
      return rows[0]?.left ?? true;
    };
    return {
      name: batched ? 'graphile-worker, batched' : 'graphile-worker',
      async fill(count) {
        for (const size of chunks(count))
          await utils.addJobs(
            Array.from({ length: size }, (_, n) => ({ identifier: 'noop', payload: { n } })),
          );
      },
      async addOne() {
        const client = await pool.connect();
        try {
          await client.query('begin');
          await client.query("select graphile_worker.add_job('noop', '{\"n\":1}'::json)");
          await client.query('commit');
        } finally {
          client.release();
        }
      },
      async drain(expected) {
        ran = 0;
        const runner = await run({
          pgPool: pool,
          logger: silent,
          noHandleSignals: true,
          taskList: { noop: () => void (ran += 1) },
          preset: {
            worker: {
              concurrentJobs: 24,
              ...(batched && {
                localQueue: { size: 500 },
                completeJobBatchDelay: 0,
                failJobBatchDelay: 0,
              }),
            },
          },
        });
        while (ran < expected || (await left())) await systemClock.sleep(5);
        await runner.stop();
        return ran;
      },
      clear: async () => void (await pool.query('truncate graphile_worker._private_jobs')),
      async [Symbol.asyncDispose]() {
        await utils.release();
        await pool.end();
      },
    };
  };
