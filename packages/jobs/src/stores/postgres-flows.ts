import type { Db } from '@svc/db';
import type { AwaitedCounts, AwaitedJob } from '../job.ts';
import { type DependencyRow, tablesOf } from '../tables.ts';

/** The jobs that one waits for, in the order they were given in. */
export async function listAwaited(db: Db, id: string): Promise<readonly AwaitedJob[]> {
  const rows = await tablesOf(db)
    .selectFrom('svc_jobs.dependencies')
    .select(['awaited_id', 'state', 'result'])
    .where('job_id', '=', id)
    .orderBy('place')
    .execute();
  return rows.map(({ awaited_id, state, result }) => ({
    id: awaited_id,
    state: toState(state),
    result: result === null ? undefined : (JSON.parse(result) as unknown),
  }));
}

export async function countAwaited(db: Db, id: string): Promise<AwaitedCounts> {
  const rows = await tablesOf(db)
    .selectFrom('svc_jobs.dependencies')
    .select(({ fn }) => ['state', fn.countAll<bigint>().as('count')])
    .where('job_id', '=', id)
    .groupBy('state')
    .execute();
  const counts = { open: 0, done: 0, dead: 0, cancelled: 0 };
  for (const { state, count } of rows) counts[toState(state)] += Number(count);
  return counts;
}

const toState = (state: DependencyRow['state']) =>
  state === 'purged' ? 'dead' : (state ?? 'open');
