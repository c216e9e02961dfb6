import type { Db } from '@svc/db';
import { CompiledQuery } from 'kysely';
import type { JobState } from '../job.ts';
import type { JobStats, TableFigures } from '../store.ts';

const countsText = `
select task, 'ready' as state, count(*) as count from svc_jobs.ready group by task
union all select task, 'waiting', count(*) from svc_jobs.waiting group by task
union all select task, 'scheduled', count(*) from svc_jobs.scheduled group by task
union all select j ->> 'task', 'running', count(*) from svc_jobs.leases l, json_array_elements(l.jobs) j
  where not exists (select from svc_jobs.settled s where s.lease_id = l.id and s.job_id = (j ->> 'id')::uuid)
  group by 1
union all select task, state, count(*) from svc_jobs.finished group by task, state
union all select task, 'dead', count(*) from svc_jobs.dead group by task`;

// Whose snapshot it is cannot be seen by everybody, how old it is can.
const figuresText = `
select
  coalesce((select array_agg(task order by task) from svc_jobs.paused), '{}') as paused,
  coalesce((select extract(epoch from clock_timestamp() - min(enqueued_at)) * 1000 from svc_jobs.ready), 0)::double precision
    as oldest_ready_ms,
  (select count(distinct worker) from svc_jobs.leases) as workers,
  coalesce((select max(extract(epoch from clock_timestamp() - xact_start)) * 1000 from pg_catalog.pg_stat_activity
    where backend_xmin is not null and pid <> pg_backend_pid()), 0)::double precision as oldest_snapshot_ms,
  (select json_agg(json_build_object('name', relname, 'live', n_live_tup, 'dead', n_dead_tup,
    'bytes', pg_catalog.pg_total_relation_size(relid)) order by relname)
    from pg_catalog.pg_stat_user_tables where schemaname = 'svc_jobs' and relname <> 'migrations') as tables`;

interface FiguresRow {
  paused: string[];
  oldest_ready_ms: number;
  workers: bigint;
  oldest_snapshot_ms: number;
  tables: TableFigures[] | null;
}

/** What there is of everything; counts every row, so not for every second. */
export async function readStats(db: Db): Promise<JobStats> {
  const counts = await db.executeQuery<{ task: string; state: JobState; count: bigint }>(
    CompiledQuery.raw(countsText),
  );
  const figures = await db.executeQuery<FiguresRow>(CompiledQuery.raw(figuresText));
  const tasks: Record<string, Partial<Record<JobState, number>>> = {};
  for (const { task, state, count } of counts.rows) (tasks[task] ??= {})[state] = Number(count);
  const row = figures.rows[0] as FiguresRow;
  return {
    tasks,
    paused: row.paused,
    oldestReadyMs: Math.max(0, row.oldest_ready_ms),
    workers: Number(row.workers),
    tables: row.tables ?? [],
    oldestSnapshotMs: Math.max(0, row.oldest_snapshot_ms),
  };
}
