// Writes rows and enqueues a job for each in one transaction, several at once, until it is killed.
import { connect, transact } from '@svc/db';
import { Redis } from 'ioredis';
import { sql } from 'kysely';
import { createJobs } from '../../src/index.ts';
import { redisStore, withOutbox } from '../../src/stores/redis.ts';
import { countedTask } from '../counted-task.ts';

const [url, port, prefix, first] = process.argv.slice(2) as [string, string, string, string];
const { db } = await connect(url, { poolSize: 6 });
const store = withOutbox(redisStore(new Redis(Number(port), '127.0.0.1'), { prefix }), db);
const task = countedTask();
const jobs = createJobs({ store, tasks: [task], keepDone: false });
let n = Number(first);
process.stdout.write('{"ready":true}\n');
await Promise.all(
  Array.from({ length: 4 }, async () => {
    for (;;) {
      const own = (n += 1);
      await transact(db, async (trx) => {
        await sql`insert into effects.runs (n) values (${own})`.execute(trx);
        await jobs.enqueue(task, { n: own }, { within: trx });
      });
    }
  }),
);
