import { systemClock } from '@svc/core';
import { type Benchmark, WrongAnswer } from '../benchmark.ts';
import { graphileQueue } from '../jobs/graphile.ts';
import { pgBossQueue } from '../jobs/pg-boss.ts';
import { amount, openAll } from '../jobs/queue.ts';
import { svcQueue } from '../jobs/svc.ts';

const count = 20_000;

/** How fast jobs are stored, a thousand in a call. */
export const jobsEnqueue: Benchmark = {
  name: 'jobs-enqueue',
  summary: `${count} jobs, a thousand in a call, one call after the other; then all are run and counted`,
  reference: 'graphile-worker, batched',
  goals: [
    { variant: 'svc', figure: 'rate', atLeast: 120_000 },
    { variant: 'svc', figure: 'rate', dividedBy: 'graphile-worker, batched', atLeast: 2.5 },
    { variant: 'svc', figure: 'rate', dividedBy: 'pg-boss, fetch 500', atLeast: 2.5 },
  ],
  async prepare(server) {
    const { queues, [Symbol.asyncDispose]: close } = await openAll(server, [
      svcQueue({ keepDone: false }),
      graphileQueue({ batched: true }),
      pgBossQueue,
    ]);
    const variants = queues.map((queue) => ({
      name: queue.name,
      run: async () => {
        await queue.clear();
        const startedAt = systemClock.elapsedMs();
        await queue.fill(count);
        const elapsedMs = systemClock.elapsedMs() - startedAt;
        if ((await queue.drain(count)) !== count) throw new WrongAnswer('jobs are missing');
        return amount(count, elapsedMs);
      },
    }));
    return { variants, [Symbol.asyncDispose]: close };
  },
};
