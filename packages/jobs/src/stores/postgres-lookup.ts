import type { Db } from '@svc/db';
import { CompiledQuery } from 'kysely';
import type { Job, JobState } from '../job.ts';
import type { JobFilter } from '../store.ts';

const own = `id, task, payload, priority, group_key, attempts, max_attempts, enqueued_at, attributes, errors`;

/** One select for each state; all of them together are one look at the whole. */
const sources: Readonly<Record<JobState, string>> = {
  ready: `select ${own}, 'ready' as state, null::timestamptz as run_at, null::timestamptz as finished_at, null::text as result
    from svc_jobs.ready`,
  waiting: `select ${own}, 'waiting', null, null, null from svc_jobs.waiting`,
  scheduled: `select ${own}, 'scheduled', run_at, null, null from svc_jobs.scheduled`,
  running: `select ${own}, 'running', null, null, null from (
      select j.*, l.id as lease_id from svc_jobs.leases l, json_to_recordset(l.jobs) as j(id uuid, task text, payload text,
        priority smallint, group_key text, attempts smallint, max_attempts smallint, enqueued_at timestamptz,
        attributes json, errors jsonb)
    ) r where not exists (select from svc_jobs.settled s where s.lease_id = r.lease_id and s.job_id = r.id)`,
  done: `select ${own}, state, null, finished_at, result from svc_jobs.finished where state = 'done'`,
  cancelled: `select ${own}, state, null, finished_at, result from svc_jobs.finished where state = 'cancelled'`,
  dead: `select ${own}, 'dead', null, died_at, null from svc_jobs.dead`,
};

interface JobRow {
  id: string;
  task: string;
  payload: string;
  priority: number;
  group_key: string | null;
  attempts: number;
  max_attempts: number;
  enqueued_at: Date;
  attributes: { uniqueKey?: string; tenantId?: string; traceparent?: string } | null;
  errors: { attempt: number; at: string; message: string }[] | null;
  state: JobState;
  run_at: Date | null;
  finished_at: Date | null;
  result: string | null;
  progress: string | null;
}

const everything = Object.values(sources).join('\nunion all ');

const findText = `
select j.*, p.value as progress from (${everything}) j left join svc_jobs.progress p on p.job_id = j.id
where j.id = $1::uuid limit 1`;

export async function findJob(db: Db, id: string): Promise<Job | undefined> {
  const { rows } = await db.executeQuery<JobRow>(CompiledQuery.raw(findText, [id]));
  return rows[0] === undefined ? undefined : toJob(rows[0]);
}

export async function listJobs(db: Db, filter: JobFilter): Promise<readonly Job[]> {
  const { state, task = null, group = null, below = null, limit } = filter;
  // Columns are named by the first select of a union: without one, by this.
  const source = `select * from (${sources[state]}) as s(${own}, state, run_at, finished_at, result)`;
  const text = `
    select j.*, p.value as progress from (${source}) j left join svc_jobs.progress p on p.job_id = j.id
    where ($1::text is null or j.task = $1) and ($2::text is null or j.group_key = $2)
      and ($3::uuid is null or j.id < $3) order by j.id desc limit $4`;
  const { rows } = await db.executeQuery<JobRow>(
    CompiledQuery.raw(text, [task, group, below, limit]),
  );
  return rows.map(toJob);
}

const toJob = ({ attributes, errors, ...row }: JobRow): Job => ({
  id: row.id,
  task: row.task,
  state: row.state,
  payload: JSON.parse(row.payload) as unknown,
  priority: row.priority,
  group: row.group_key,
  attempts: row.attempts,
  maxAttempts: row.max_attempts,
  enqueuedAt: row.enqueued_at,
  runAt: row.run_at,
  finishedAt: row.finished_at,
  errors: (errors ?? []).map(({ attempt, at, message }) => ({
    attempt,
    at: new Date(at),
    message,
  })),
  progress: parseKept(row.progress),
  result: parseKept(row.result),
  tenantId: attributes?.tenantId ?? null,
  traceparent: attributes?.traceparent ?? null,
  uniqueKey: attributes?.uniqueKey ?? null,
});

const parseKept = (json: string | null): unknown => (json === null ? undefined : JSON.parse(json));
