import { type Db, listen, transact } from '@svc/db';
import { CompiledQuery } from 'kysely';
import type { Job } from '../job.ts';
import type {
  Claim,
  ClaimRequest,
  Enqueued,
  Heartbeat,
  JobStore,
  LeasedJob,
  NewJob,
} from '../store.ts';
import { tablesOf } from '../tables.ts';
import { enqueue } from './postgres-enqueue.ts';
import { deleteLeases, finish, isPlain, split } from './postgres-finish.ts';
import { createFloors } from './postgres-floors.ts';
import { findJob, listJobs } from './postgres-lookup.ts';
import { countAwaited, listAwaited } from './postgres-flows.ts';
import { readStats } from './postgres-stats.ts';
import { together } from './together.ts';

export { postgresScheduleStore } from '../schedules/stores/postgres.ts';

const channel = 'svc_jobs';

/**
 * Keeps jobs in PostgreSQL or PGlite, by the database's clock, and joins the caller's transaction. `db` is never given a
 * transaction.
 */
export function postgresStore(db: Db): JobStore {
  const floors = createFloors();
  const enqueueSoon = together<readonly NewJob[], readonly Enqueued[]>(async (many) => {
    const all = await enqueue(db, many.flat());
    let at = 0;
    return many.map((jobs) => all.slice(at, (at += jobs.length)));
  });
  const sizes = new Map<string, number>();
  const keeping = new Set<string>();
  /** Leases in which a transaction that may not have committed yet ended what others wait for. */
  const releasing = new Set<string>();
  const forget = (lease: string) => {
    sizes.delete(lease);
    keeping.delete(lease);
    releasing.delete(lease);
  };
  const wake = async () => {
    await db.executeQuery(CompiledQuery.raw(`select pg_notify('${channel}', '')`));
  };

  return {
    joins: true,
    enqueue(jobs, within) {
      if (within !== undefined) return enqueue(within, jobs);
      // With a unique key it may wait for another transaction: the others are not to wait with it.
      const isAlone = jobs.length > 1 || jobs[0]?.attributes.uniqueKey !== undefined;
      return isAlone ? enqueue(db, jobs) : enqueueSoon(jobs);
    },
    async claim(request) {
      const row = await claim(db, request, floors.next());
      floors.learn(row, request);
      const jobs = (row.jobs ?? []).map(toLeased);
      if (jobs.length > 0 && jobs.every(isPlain)) sizes.set(request.lease, jobs.length);
      if (jobs.some(({ attributes }) => attributes.keepMs !== undefined))
        keeping.add(request.lease);
      const nextInMs = row.next_in_ms ?? undefined;
      return {
        jobs,
        lost: row.lost ?? [],
        nextInMs: nextInMs === undefined ? undefined : Math.max(0, nextInMs),
      } satisfies Claim;
    },
    async heartbeat(leases, leaseMs) {
      const { rows } = await db.executeQuery<{ id: string; cancelled: string[] }>(
        CompiledQuery.raw(heartbeatText, [leases, leaseMs]),
      );
      const alive = new Set(rows.map(({ id }) => id));
      const lost = leases.filter((id) => !alive.has(id));
      lost.forEach(forget);
      return {
        lost,
        cancelled: rows.flatMap(({ cancelled }) => cancelled),
      } satisfies Heartbeat;
    },
    async finish(outcomes, closed) {
      const { plain, rest, restClosed } = split(outcomes, closed, sizes);
      const [gone, { refused, isReleased }] = await Promise.all([
        plain.size === 0
          ? []
          : deleteLeases(
              db,
              plain,
              [...plain.keys()].some((lease) => keeping.has(lease)),
            ),
        rest.length + restClosed.length === 0 ? nothing : finish(db, rest, restClosed),
      ]);
      const wakes =
        isReleased ||
        gone.some(({ is_released }) => is_released) ||
        rest.some(({ kind, lease }) => kind === 'released' && releasing.has(lease));
      // The outcomes are known: where nobody can be told, workers look now and then.
      if (wakes) await wake().catch(() => {});
      closed.forEach(forget);
      const known = new Set(gone.map(({ id }) => id));
      const late = [...plain].flatMap(([lease, all]) => (known.has(lease) ? [] : all));
      const refusedIds = new Set(refused.map(({ lease, id }) => `${lease} ${id}`));
      return [...late, ...rest.filter(({ lease, id }) => refusedIds.has(`${lease} ${id}`))];
    },
    async complete(lease, id, result, within) {
      const { rows } = await within.executeQuery<{ is_done: boolean; is_released: boolean }>(
        CompiledQuery.raw('select is_done, is_released from svc_jobs.complete($1, $2, $3)', [
          lease,
          id,
          result,
        ]),
      );
      if (rows[0]?.is_released === true) releasing.add(lease);
      return rows[0]?.is_done === true;
    },
    async progress(lease, id, value) {
      // It leaves something to be deleted.
      sizes.delete(lease);
      await db.executeQuery(CompiledQuery.raw(progressText, [lease, id, value]));
    },
    get: (id) => findJob(db, id),
    list: (filter) => listJobs(db, filter),
    cancel: (id, within) => askState(within ?? db, 'svc_jobs.cancel', id),
    retry: (id, within) => askState(within ?? db, 'svc_jobs.retry', id),
    async replayDead(filter, limit) {
      const { rows } = await db.executeQuery<{ count: number }>(
        CompiledQuery.raw(`select svc_jobs.replay(array(${deadText})) as count`, [
          ...deadParameters(filter),
          limit,
        ]),
      );
      return rows[0]?.count ?? 0;
    },
    async purgeDead(filter, limit) {
      const { rows } = await db.executeQuery<{ count: bigint }>(
        CompiledQuery.raw(purgeDeadText, [...deadParameters(filter), limit]),
      );
      return Number(rows[0]?.count ?? 0);
    },
    async pause(task) {
      await tablesOf(db)
        .insertInto('svc_jobs.paused')
        .values({ task })
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },
    async resume(task) {
      await tablesOf(db).deleteFrom('svc_jobs.paused').where('task', '=', task).execute();
    },
    stats: () => readStats(db),
    async purge() {
      let total = 0;
      for (let count = purgedAtOnce; count === purgedAtOnce; total += count)
        count = (await db.executeQuery(CompiledQuery.raw(purgeText))).rows.length;
      return total;
    },
    wake,
    listen: (onNotify, onLost) => listen(db, channel, { onNotify, onLost }),
    flows: {
      awaited: (id) => listAwaited(db, id),
      countAwaited: (id) => countAwaited(db, id),
    },
    transact: (fn) => transact(db, fn),
  };
}

const purgedAtOnce = 5000;
const nothing = { refused: [], isReleased: false };

// A lease that somebody has locked is left for the next time: the others are not to wait with it.
const heartbeatText = `
with renewed as (
  update svc_jobs.leases set expires_at = clock_timestamp() + $2::double precision * interval '1 ms'
  where id = any(array(select id from svc_jobs.leases where id = any($1::uuid[]) for no key update skip locked))
)
select id, cancelled from svc_jobs.leases where id = any($1::uuid[])`;

const progressText = `
insert into svc_jobs.progress (job_id, value)
select $2::uuid, $3 from svc_jobs.leases l where l.id = $1::uuid
  and not exists (select from svc_jobs.settled s where s.lease_id = l.id and s.job_id = $2::uuid)
on conflict (job_id) do update set value = excluded.value`;

const deadText = `
select id from svc_jobs.dead
where ($1::uuid[] is null or id = any($1)) and ($2::text is null or task = $2)
  and ($3::text is null or group_key = $3) and ($4::timestamptz is null or died_at < $4)
order by died_at, id limit $5 for update skip locked`;

const purgeDeadText = `
with gone as (
  delete from svc_jobs.dead where id = any(array(${deadText})) returning id, attributes ->> 'uniqueKey' as key
), freed as (
  delete from svc_jobs.unique_keys k using gone where k.key = gone.key and k.job_id = gone.id
)
select count(*) as count, svc_jobs.end_awaited(
  json_agg(json_build_object('id', id, 'state', 'purged', 'isKept', false))) as is_released from gone`;

const purgeText = `
with gone as (
  delete from svc_jobs.finished where id in (
    select id from svc_jobs.finished where expires_at <= clock_timestamp()
    order by expires_at limit ${purgedAtOnce} for update skip locked)
  returning id, attributes ->> 'uniqueKey' as key
), freed as (
  delete from svc_jobs.unique_keys k using gone where k.key = gone.key and k.job_id = gone.id
), forgotten as (
  delete from svc_jobs.dependencies d using gone where d.job_id = gone.id
)
select id from gone`;

interface LeasedRow {
  id: string;
  task: string;
  payload: string;
  priority: number;
  group_key: string | null;
  attempts: number;
  max_attempts: number;
  enqueued_at: string;
  attributes: LeasedJob['attributes'] | null;
  errors: { attempt: number; at: string; message: string }[] | null;
}

export interface ClaimRow {
  jobs: LeasedRow[] | null;
  lost: { id: string; task: string; isDead: boolean }[] | null;
  next_in_ms: number | null;
  pick_ms: number | null;
  floors: bigint[] | null;
}

async function claim(
  db: Db,
  request: ClaimRequest,
  floors: readonly bigint[] | null,
): Promise<ClaimRow> {
  const { lease, worker, max, leaseMs, tasks = null, limits } = request;
  const text = 'select * from svc_jobs.claim($1, $2, $3, $4, $5::text[], $6::json, $7::bigint[])';
  const { rows } = await db.executeQuery<ClaimRow>(
    CompiledQuery.raw(text, [
      lease,
      worker,
      max,
      leaseMs,
      tasks,
      limits === undefined ? null : JSON.stringify(limits),
      floors,
    ]),
  );
  return rows[0] as ClaimRow;
}

const toLeased = (row: LeasedRow): LeasedJob => ({
  id: row.id,
  task: row.task,
  payload: JSON.parse(row.payload) as unknown,
  priority: row.priority,
  group: row.group_key,
  attempts: row.attempts,
  maxAttempts: row.max_attempts,
  enqueuedAt: new Date(row.enqueued_at),
  errors: (row.errors ?? []).map(({ at, ...error }) => ({ ...error, at: new Date(at) })),
  attributes: row.attributes ?? {},
});

async function askState(db: Db, name: string, id: string): Promise<Job['state'] | undefined> {
  const { rows } = await db.executeQuery<{ state: Job['state'] | null }>(
    CompiledQuery.raw(`select ${name}($1) as state`, [id]),
  );
  return rows[0]?.state ?? undefined;
}

const deadParameters = ({ ids, task, group, before }: Parameters<JobStore['replayDead']>[0]) => [
  ids ?? null,
  task ?? null,
  group ?? null,
  before ?? null,
];
