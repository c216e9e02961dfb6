import { systemClock } from '@svc/core';
import { type Benchmark, type Prepared, type Sample, WrongAnswer } from '../benchmark.ts';
import { openRedisQueues, type RedisQueue } from '../jobs/redis-queues.ts';

const jobs = 20_000;
const atOnce = 1000;

/** How fast a backlog goes. */
export const jobsRedisDrain: Benchmark = {
  name: 'jobs-redis-drain',
  summary: `one worker that runs 100 at once ends ${jobs} jobs that do nothing, on Redis`,
  reference: 'bullmq',
  goals: [{ variant: 'svc', figure: 'rate', dividedBy: 'bullmq', atLeast: 1 }],
  prepare,
};

async function prepare(): Promise<Prepared> {
  const opened = await openRedisQueues();
  return {
    variants: opened.queues.map((queue) => ({ name: queue.name, run: () => drain(queue) })),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function drain(queue: RedisQueue): Promise<Sample> {
  for (let added = 0; added < jobs; added += atOnce) await queue.add(atOnce);
  let ran = 0;
  let isDone = () => {};
  const all = new Promise<void>((resolve) => (isDone = resolve));
  const startedAt = systemClock.elapsedMs();
  // Ended, too: stopping waits for what was not told yet.
  await queue.work(
    () => {
      ran += 1;
      if (ran === jobs) isDone();
    },
    () => all,
  );
  const elapsedMs = systemClock.elapsedMs() - startedAt;
  if (ran !== jobs) throw new WrongAnswer('a job ran twice');
  return { operations: jobs, elapsedMs, latenciesMs: [] };
}
