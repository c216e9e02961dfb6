import { sql } from 'kysely';
import type { Db } from '@svc/db';
import type { Benchmark } from '../benchmark.ts';
import { drained, openAll } from '../jobs/queue.ts';
import { svcQueue } from '../jobs/svc.ts';

const count = 20_000;

/** A million jobs of next year, and a hundred thousand dead letters. */
async function backlog(db: Db) {
  const columns = sql`id, task, payload, priority, max_attempts`;
  const rows = (many: number) =>
    sql`select gen_random_uuid(), 'bench.other', '{"n":1}', 5, 20 from generate_series(1, ${many}::int)`;
  await sql`insert into svc_jobs.scheduled (${columns}, run_at)
    select made.*, clock_timestamp() + interval '1 year' from (${rows(1_000_000)}) made`.execute(
    db,
  );
  await sql`insert into svc_jobs.dead (${columns}) ${rows(100_000)}`.execute(db);
  await sql`analyze svc_jobs.scheduled, svc_jobs.dead`.execute(db);
}

/** What a backlog, limits and groups cost those jobs that do run. */
export const jobsBeside: Benchmark = {
  name: 'jobs-beside',
  summary: `${count} jobs that do nothing, alone, beside a backlog, under a global limit, in 1,000 groups`,
  reference: 'svc',
  goals: [
    { variant: 'a backlog', figure: 'rate', dividedBy: 'svc', atLeast: 0.9 },
    { variant: 'a global limit', figure: 'rate', dividedBy: 'svc', atLeast: 0.85 },
    { variant: '1,000 groups', figure: 'rate', dividedBy: 'svc', atLeast: 0.85 },
  ],
  async prepare(server) {
    const { queues, [Symbol.asyncDispose]: close } = await openAll(server, [
      svcQueue({ keepDone: false }),
      svcQueue({ keepDone: false, name: 'a backlog', prepare: backlog }),
      svcQueue({
        keepDone: false,
        name: 'a global limit',
        limits: { global: { concurrency: 5000 } },
      }),
      svcQueue({ keepDone: false, name: '1,000 groups', groupOf: (n) => `group ${n % 1000}` }),
    ]);
    const variants = queues.map((queue) => ({
      name: queue.name,
      run: () => drained(queue, count),
    }));
    return { variants, [Symbol.asyncDispose]: close };
  },
};
