// A worker that waits in a process of its own, and says on a line that it has begun.
import { connect } from '@svc/db';
import { createJobs, createWorker, defineTask } from '@svc/jobs';
import { postgresStore } from '@svc/jobs/postgres';
import * as v from 'valibot';

const { db } = await connect(process.argv[2] ?? '', { poolSize: 5 });
const task = defineTask({
  name: 'bench.start',
  payload: v.object({ n: v.number() }),
  run: ({ n }) => void process.stdout.write(`${n}\n`),
});
const jobs = createJobs({ store: postgresStore(db), tasks: [task], keepDone: false });
createWorker({ jobs }).start();
process.stdout.write('ready\n');
