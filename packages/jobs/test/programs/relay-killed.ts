// Enqueues in a transaction, and is killed when Redis has the jobs and the outbox has them still.
import { connect, transact } from '@svc/db';
import { Redis } from 'ioredis';
import { createJobs } from '../../src/index.ts';
import { redisStore, withOutbox } from '../../src/stores/redis.ts';
import { countedTask } from '../counted-task.ts';

const [url, port, prefix] = process.argv.slice(2) as [string, string, string];
const { db } = await connect(url, { poolSize: 2 });
const store = redisStore(new Redis(Number(port), '127.0.0.1'), { prefix });
const killing: typeof store = {
  ...store,
  async move(jobs, moves) {
    await store.move(jobs, moves);
    process.kill(process.pid, 'SIGKILL');
  },
};
const task = countedTask();
const jobs = createJobs({ store: withOutbox(killing, db), tasks: [task], keepDone: false });
await transact(db, (trx) =>
  jobs.enqueueMany(
    task,
    [0, 1, 2].map((n) => ({ payload: { n } })),
    { within: trx },
  ),
);
