import { startRedisServer } from '@svc/core/testing';
import { createJobs, createWorker, defineTask } from '@svc/jobs';
import { redisStore } from '@svc/jobs/redis';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import * as v from 'valibot';

/** A queue on Redis of which no record is kept, and a worker that runs 100 at once. */
export interface RedisQueue {
  readonly name: string;
  add(count: number): Promise<void>;
  /** Runs jobs, with `onRun` for each, until the given work is done. */
  work(onRun: () => void, until: () => Promise<void>): Promise<void>;
}

/** The same server, a connection each for who enqueues and who works. */
export async function openRedisQueues(): Promise<
  AsyncDisposable & { readonly queues: readonly RedisQueue[] }
> {
  const server = await startRedisServer();
  const connection = { port: server.port, host: '127.0.0.1', maxRetriesPerRequest: null };
  const clients = [new Redis(connection), new Redis(connection)] as const;
  let onRun = () => {};
  const task = defineTask({ name: 'nothing', payload: v.number(), run: () => onRun() });
  const [adding, working] = clients.map((client) =>
    createJobs({ store: redisStore(client), tasks: [task], keepDone: false }),
  ) as [ReturnType<typeof createJobs<[typeof task]>>, ReturnType<typeof createJobs<[typeof task]>>];
  const queue = new Queue('nothing', { connection });
  const payloads = (count: number) => Array.from({ length: count }, (_, n) => n);

  const ours: RedisQueue = {
    name: 'svc',
    async add(count) {
      if (count === 1) await adding.enqueue(task, 1);
      else
        await adding.enqueueMany(
          task,
          payloads(count).map((payload) => ({ payload })),
        );
    },
    async work(run, until) {
      onRun = run;
      const worker = createWorker({ jobs: working, concurrency: 100 });
      worker.start();
      await until();
      await worker.stop();
    },
  };
  const theirs: RedisQueue = {
    name: 'bullmq',
    async add(count) {
      const opts = { removeOnComplete: true };
      if (count === 1) await queue.add('nothing', 1, opts);
      else await queue.addBulk(payloads(count).map((data) => ({ name: 'nothing', data, opts })));
    },
    async work(run, until) {
      const worker = new Worker('nothing', async () => run(), { connection, concurrency: 100 });
      await worker.waitUntilReady();
      await until();
      await worker.close();
    },
  };
  return {
    queues: [ours, theirs],
    async [Symbol.asyncDispose]() {
      await queue.close();
      for (const client of clients) client.disconnect();
      await server[Symbol.asyncDispose]();
    },
  };
}
