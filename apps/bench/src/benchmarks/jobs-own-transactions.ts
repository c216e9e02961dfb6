import { type Benchmark, WrongAnswer } from '../benchmark.ts';
import { graphileQueue } from '../jobs/graphile.ts';
import { pgBossQueue } from '../jobs/pg-boss.ts';
import { openAll } from '../jobs/queue.ts';
import { svcQueue } from '../jobs/svc.ts';
import { keepInFlight } from '../load.ts';

/** What enqueueing costs requests that each have a transaction. */
export const jobsOwnTransactions: Benchmark = {
  name: 'jobs-own-transactions',
  summary: 'one job in a transaction of its own, 32 callers at once; then all are run and counted',
  reference: 'graphile-worker, batched',
  goals: [{ variant: 'svc', figure: 'rate', atLeast: 4000 }],
  async prepare(server) {
    const { queues, [Symbol.asyncDispose]: close } = await openAll(server, [
      svcQueue({ keepDone: false }),
      graphileQueue({ batched: true }),
      pgBossQueue,
    ]);
    const variants = queues.map((queue) => ({
      name: queue.name,
      run: async (durationMs: number) => {
        await queue.clear();
        const sample = await keepInFlight({ inFlight: 32, durationMs }, () => queue.addOne());
        const ran = await queue.drain(sample.operations);
        if (ran !== sample.operations) throw new WrongAnswer(`${ran} of ${sample.operations} jobs`);
        return sample;
      },
    }));
    return { variants, [Symbol.asyncDispose]: close };
  },
};
