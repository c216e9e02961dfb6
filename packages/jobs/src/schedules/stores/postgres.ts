import { type Db, transact, type Trx } from '@svc/db';
import { CompiledQuery, sql } from 'kysely';
import type { ScheduleStore, StoredSchedule, TickClaim } from '../store.ts';
import { scheduleTablesOf } from '../tables.ts';

/** Keeps schedules in PostgreSQL or PGlite: a tick and its job commit together. `db` is never given a transaction. */
export function postgresScheduleStore(db: Db): ScheduleStore {
  return {
    async register(schedules, now) {
      const names = schedules.map(({ name }) => name);
      const patterns = schedules.map(({ pattern }) => pattern);
      await db.executeQuery(CompiledQuery.raw(registerText, [names, patterns, now]));
    },
    read: (names) =>
      scheduleTablesOf(db)
        .selectFrom('svc_jobs.schedules')
        .select([
          'name',
          'decided_until as decidedUntil',
          'last_tick_at as lastTickAt',
          'paused_at as pausedAt',
        ])
        .where(sql<boolean>`name = any(${names}::text[])`)
        .execute() as Promise<StoredSchedule[]>,
    claimTick: (claim, enqueue) =>
      transact(db, async (trx) => {
        const isOurs = await insertTick(trx, claim);
        if (isOurs) await enqueue(trx);
        return isOurs;
      }),
    async pause(name, now, within = db as Trx) {
      await scheduleTablesOf(within)
        .updateTable('svc_jobs.schedules')
        .set({ paused_at: now })
        .where('name', '=', name)
        .where('paused_at', 'is', null)
        .execute();
    },
    async resume(name, now, within = db as Trx) {
      await scheduleTablesOf(within)
        .updateTable('svc_jobs.schedules')
        .set({ paused_at: null, decided_until: sql<Date>`greatest(decided_until, ${now})` })
        .where('name', '=', name)
        .where('paused_at', 'is not', null)
        .execute();
    },
    async prune(before) {
      let total = 0;
      for (let count = prunedAtOnce; count === prunedAtOnce; total += count)
        count = await pruneSome(db, before);
      return total;
    },
  };
}

// In order of the names, so that processes that start at once do not wait for each other in a circle.
const registerText = `
insert into svc_jobs.schedules as s (name, pattern, decided_until)
select name, pattern, $3::timestamptz from unnest($1::text[], $2::text[]) as given (name, pattern) order by name
on conflict (name) do update
  set pattern = excluded.pattern, decided_until = greatest(s.decided_until, excluded.decided_until)
  where s.pattern <> excluded.pattern`;

// The unique key decides: who comes second waits there for the end of the first one's transaction. Only then is the
// schedule's row written, so that nobody who waits holds it.
const insertTickText = `
with claimed as (
  insert into svc_jobs.schedule_ticks (schedule, tick_at)
  select name, $2::timestamptz from svc_jobs.schedules
  where name = $1 and paused_at is null and decided_until < $2
  on conflict do nothing returning schedule
)
update svc_jobs.schedules s
set last_tick_at = greatest(s.last_tick_at, $2),
  decided_until = case when $3::boolean then greatest(s.decided_until, $2) else s.decided_until end
from claimed where s.name = claimed.schedule`;

async function insertTick(trx: Trx, { schedule, tickAt, advances }: TickClaim): Promise<boolean> {
  const { numAffectedRows } = await trx.executeQuery(
    CompiledQuery.raw(insertTickText, [schedule, tickAt, advances]),
  );
  return numAffectedRows === 1n;
}

const prunedAtOnce = 5000;

async function pruneSome(db: Db, before: Date): Promise<number> {
  // Of several that prune at once each takes other rows. What is not decided keeps its ticks, whatever their age.
  const { numAffectedRows = 0n } = await sql`
    delete from svc_jobs.schedule_ticks where (schedule, tick_at) in (
      select t.schedule, t.tick_at from svc_jobs.schedule_ticks t
      join svc_jobs.schedules s on s.name = t.schedule and t.tick_at <= s.decided_until
      where t.tick_at < ${before} limit ${prunedAtOnce} for update of t skip locked)`.execute(db);
  return Number(numAffectedRows);
}
