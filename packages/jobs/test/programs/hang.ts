// A worker whose handler never ends, to be killed.
import { connect } from '@svc/db';
import { createJobs, createWorker } from '../../src/index.ts';
import { postgresStore } from '../../src/stores/postgres.ts';
import { countedTask } from '../counted-task.ts';

const [url, lease] = process.argv.slice(2) as [string, '1s'];
const { db } = await connect(url);
const task = countedTask(() => new Promise(() => {}));
const jobs = createJobs({ store: postgresStore(db), tasks: [task] });
createWorker({ jobs, lease }).start();
process.stdout.write('{"ready":true}\n');
