import type { Benchmark } from '../benchmark.ts';
import { graphileQueue } from '../jobs/graphile.ts';
import { pgBossQueue } from '../jobs/pg-boss.ts';
import { drained, openAll } from '../jobs/queue.ts';
import { svcQueue } from '../jobs/svc.ts';

const count = 20_000;

/** How fast one process works off jobs that do nothing. */
export const jobsDrain: Benchmark = {
  name: 'jobs-drain',
  summary: `${count} jobs that do nothing, one worker process, until the last is settled`,
  reference: 'pg-boss, fetch 500',
  goals: [
    { variant: 'svc', figure: 'rate', atLeast: 60_000 },
    { variant: 'svc, with history', figure: 'rate', atLeast: 25_000 },
    { variant: 'svc', figure: 'rate', dividedBy: 'pg-boss, fetch 500', atLeast: 1.5 },
    { variant: 'svc', figure: 'rate', dividedBy: 'graphile-worker, batched', atLeast: 1.5 },
  ],
  async prepare(server) {
    const { queues, [Symbol.asyncDispose]: close } = await openAll(server, [
      svcQueue({ keepDone: false }),
      svcQueue({ keepDone: true }),
      graphileQueue({ batched: false }),
      graphileQueue({ batched: true }),
      pgBossQueue,
    ]);
    const variants = queues.map((queue) => ({
      name: queue.name,
      run: () => drained(queue, count),
    }));
    return { variants, [Symbol.asyncDispose]: close };
  },
};
