import type { Db } from '@svc/db';
import { CompiledQuery } from 'kysely';
import type { LeasedJob, Outcome } from '../store.ts';

/** Whether there is nothing to be freed when it is done. */
export const isPlain = ({ attributes }: LeasedJob) => attributes.uniqueKey === undefined;

/** Leases whose every job is done and has nothing to be freed. */
export function split(
  outcomes: readonly Outcome[],
  closed: readonly string[],
  sizes: ReadonlyMap<string, number>,
) {
  const done = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const all = done.get(outcome.lease);
    if (all === undefined) done.set(outcome.lease, [outcome]);
    else all.push(outcome);
  }
  const plain = new Map<string, Outcome[]>();
  for (const lease of closed) {
    const all = done.get(lease);
    if (all === undefined || all.length !== sizes.get(lease)) continue;
    if (all.every(({ kind }) => kind === 'done')) plain.set(lease, all);
  }
  return {
    plain,
    rest: outcomes.filter(({ lease }) => !plain.has(lease)),
    restClosed: closed.filter((lease) => !plain.has(lease)),
  };
}

const deleteUnkeptText = `
with released as (
  delete from svc_jobs.limited where lease_id = any($1::uuid[])
), gone as (
  delete from svc_jobs.leases where id = any($1::uuid[]) returning id, jobs
)
select id, svc_jobs.end_lease(jobs, null, null) as is_released from gone`;

// Of such a lease nothing was settled before: to delete it is the ending of all its jobs.
const deleteText = `
with gone as (
  delete from svc_jobs.leases where id = any($1::uuid[]) returning id, jobs
), released as (
  delete from svc_jobs.limited where lease_id = any($1::uuid[])
), kept as (
  insert into svc_jobs.finished (id, task, payload, priority, group_key, cost, attempts, max_attempts, enqueued_at,
    attributes, errors, state, result, expires_at)
  select j.id, j.task, j.payload, j.priority, j.group_key, j.cost, j.attempts, j.max_attempts, j.enqueued_at, j.attributes,
    j.errors, 'done', r.result, clock_timestamp() + (j.attributes ->> 'keepMs')::double precision * interval '1 ms'
  from gone cross join lateral json_to_recordset(gone.jobs) as j(id uuid, task text, payload text, priority smallint,
    group_key text, cost integer, attempts smallint, max_attempts smallint, enqueued_at timestamptz, attributes json,
    errors jsonb)
  left join unnest($2::uuid[], $3::text[]) as r(id, result) on r.id = j.id
  where (j.attributes ->> 'keepMs')::double precision > 0
)
select id, svc_jobs.end_lease(jobs, $2, $3) as is_released from gone`;

interface GoneLease {
  readonly id: string;
  /** Whether a job that waited for one of it is ready now. */
  readonly is_released: boolean;
}

export async function deleteLeases(
  db: Db,
  leases: ReadonlyMap<string, readonly Outcome[]>,
  isKept: boolean,
): Promise<readonly GoneLease[]> {
  if (!isKept) {
    const text = CompiledQuery.raw(deleteUnkeptText, [[...leases.keys()]]);
    return (await db.executeQuery<GoneLease>(text)).rows;
  }
  const results = [...leases.values()]
    .flat()
    .flatMap((outcome) =>
      outcome.kind === 'done' && outcome.result !== null
        ? [{ id: outcome.id, result: outcome.result }]
        : [],
    );
  const { rows } = await db.executeQuery<GoneLease>(
    CompiledQuery.raw(deleteText, [
      [...leases.keys()],
      results.map(({ id }) => id),
      results.map(({ result }) => result),
    ]),
  );
  return rows;
}

export async function finish(
  db: Db,
  outcomes: readonly Outcome[],
  closed: readonly string[],
): Promise<{ refused: readonly { lease: string; id: string }[]; isReleased: boolean }> {
  const { rows } = await db.executeQuery<{
    refused: { lease: string; id: string }[] | null;
    is_released: boolean | null;
  }>(
    CompiledQuery.raw('select refused, is_released from svc_jobs.finish($1::json, $2::uuid[])', [
      JSON.stringify(outcomes),
      closed,
    ]),
  );
  return { refused: rows[0]?.refused ?? [], isReleased: rows[0]?.is_released === true };
}
