// A worker as a process of its own, to be killed. Each run leaves a row; those of even numbers in the job's own transaction.
import { systemClock } from '@svc/core';
import { connect } from '@svc/db';
import { sql } from 'kysely';
import { createJobs, createWorker } from '../../src/index.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { countedTask } from '../counted-task.ts';

const [url, lease] = process.argv.slice(2) as [string, '1s'];
const { db } = await connect(url, { poolSize: 5 });
const task = countedTask(async ({ n }, context) => {
  const write = (trx: typeof db) =>
    sql`insert into effects.runs (job, n, attempt, pid) values (${context.id}, ${n}, ${context.attempt}, ${process.pid})`.execute(
      trx,
    );
  if (n % 2 === 1) await write(db);
  await systemClock.sleep(10);
  if (n % 2 === 0) await context.transact(write);
});
const jobs = createJobs({ store: postgresStore(db), tasks: [task] });
const worker = createWorker({ jobs, concurrency: 5, lease });
worker.start();
process.stdout.write('{"ready":true}\n');
process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
