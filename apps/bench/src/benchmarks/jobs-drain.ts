import { systemClock } from '@svc/core';
import { type Benchmark, WrongAnswer } from '../benchmark.ts';
import { graphileQueue } from '../jobs/graphile.ts';
import { pgBossQueue } from '../jobs/pg-boss.ts';
import { amount, openAll } from '../jobs/queue.ts';
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
      run: async () => {
        await queue.clear();
        await queue.fill(count);
        const startedAt = systemClock.elapsedMs();
        const ran = await queue.drain(count);
        const elapsedMs = systemClock.elapsedMs() - startedAt;
        if (ran !== count) throw new WrongAnswer(`${ran} runs of ${count} jobs`);
        return amount(count, elapsedMs);
      },
    }));
    return { variants, [Symbol.asyncDispose]: close };
  },
};
