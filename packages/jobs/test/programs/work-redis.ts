// A worker over Redis as a process of its own, to be killed. Each run leaves a line in Redis.
import { systemClock } from '@svc/core';
import { Redis } from 'ioredis';
import { createJobs, createWorker } from '../../src/index.ts';
import { redisStore } from '../../src/stores/redis.ts';
import { countedTask } from '../counted-task.ts';

const [port, lease] = process.argv.slice(2) as [string, '1s'];
const client = new Redis(Number(port), '127.0.0.1');
const task = countedTask(async ({ n }, { id, attempt }) => {
  await client.rpush('runs', JSON.stringify({ id, n, attempt, pid: process.pid }));
  await systemClock.sleep(10);
});
const jobs = createJobs({ store: redisStore(client), tasks: [task] });
const worker = createWorker({ jobs, concurrency: 5, lease });
worker.start();
process.stdout.write('{"ready":true}\n');
process.once('SIGTERM', () => void worker.stop().then(() => process.exit(0)));
