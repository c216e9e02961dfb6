import { systemClock } from '@svc/core';
import { type Benchmark, type Prepared, type Sample } from '../benchmark.ts';
import { openRedisQueues, type RedisQueue } from '../jobs/redis-queues.ts';
import { oneAfterTheOther } from '../load.ts';

/** How soon an idle worker begins. */
export const jobsStart: Benchmark = {
  name: 'jobs-start',
  summary: 'from enqueue to the start of the job, in a worker that waits, on Redis',
  reference: 'bullmq',
  goals: [{ variant: 'svc', figure: 'p50Ms', dividedBy: 'bullmq', atMost: 1 }],
  prepare,
};

async function prepare(): Promise<Prepared> {
  const opened = await openRedisQueues();
  return {
    variants: opened.queues.map((queue) => ({
      name: queue.name,
      run: (durationMs: number) => startOften(queue, durationMs),
    })),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function startOften(queue: RedisQueue, durationMs: number): Promise<Sample> {
  let started = (_atMs: number) => {};
  let sample: Sample | undefined;
  const take = async () => {
    const start = new Promise<number>((resolve) => (started = resolve));
    const beganAtMs = systemClock.elapsedMs();
    const added = queue.add(1);
    const startedAtMs = await start;
    await added;
    // The worker is waiting again, and no two wake-ups are one.
    await systemClock.sleep(10);
    return startedAtMs - beganAtMs;
  };
  await queue.work(
    () => started(systemClock.elapsedMs()),
    async () => {
      // Its connections are there.
      await systemClock.sleep(200);
      sample = await oneAfterTheOther(durationMs, take);
    },
  );
  return sample as Sample;
}
