import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { AbuseState, AbuseStore, CallerState } from '../abuse-store.ts';

export interface PostgresAbuseStore extends AbuseStore {
  /** Removes callers of whom nothing is held any more; gives how many. */
  purge(): Promise<number>;
}

interface StateRow {
  score: number;
  blocked_for_ms: number;
}

const toState = (row: StateRow | undefined): AbuseState => ({
  score: row?.score ?? 0,
  blockedForMs: row?.blocked_for_ms ?? 0,
});

/** Scores and blocks in a table, by the database's clock. */
export function postgresAbuseStore(db: Db): PostgresAbuseStore {
  const scoreNow = (halfLifeMs: number) => sql`
    c.score * power(2, -least(1000, greatest(0, extract(epoch from clock_timestamp() - c.scored_at)) * 1000 / ${halfLifeMs}::float8)::float8)`;
  const blockedForMs = sql`
    greatest(0, ceil(coalesce(extract(epoch from c.blocked_until - clock_timestamp()), 0) * 1000))::float8`;

  return {
    isLocal: false,
    async add(caller, points, halfLifeMs) {
      const sum = sql`(${scoreNow(halfLifeMs)} + ${points}::float8)`;
      const until = (score: unknown) => sql`
        clock_timestamp() + make_interval(secs => ${halfLifeMs}::float8 / 1000 * log(2, greatest(2, ${score} / 0.01)::numeric)::float8)`;
      const { rows } = await sql<StateRow>`
        insert into svc_ratelimit.callers as c (caller, score, expires_at)
        values (${caller}, ${points}::float8, ${until(sql`${points}::float8`)})
        on conflict (caller) do update
          set score = ${sum}, scored_at = clock_timestamp(), expires_at = ${until(sum)}
        returning c.score, ${blockedForMs} as blocked_for_ms`.execute(db);
      return toState(rows[0]);
    },
    async read(caller, halfLifeMs) {
      const { rows } = await sql<StateRow>`
        select ${scoreNow(halfLifeMs)} as score, ${blockedForMs} as blocked_for_ms
        from svc_ratelimit.callers c where caller = ${caller}`.execute(db);
      return toState(rows[0]);
    },
    async block(caller, forMs) {
      const until = sql`clock_timestamp() + make_interval(secs => ${forMs}::float8 / 1000)`;
      // Of many at once, one finds the row without a block: the others wait for it and then fail the condition.
      const { rows } = await sql`
        insert into svc_ratelimit.callers as c (caller, blocked_until) values (${caller}, ${until})
        on conflict (caller) do update set blocked_until = excluded.blocked_until
          where coalesce(c.blocked_until <= clock_timestamp(), true)
        returning c.caller`.execute(db);
      if (rows.length > 0) return true;
      await sql`
        update svc_ratelimit.callers set blocked_until = greatest(blocked_until, ${until})
        where caller = ${caller}`.execute(db);
      return false;
    },
    async unblock(caller) {
      const { rows } = await sql<{ was_blocked: boolean }>`
        delete from svc_ratelimit.callers where caller = ${caller}
        returning coalesce(blocked_until > clock_timestamp(), false) as was_blocked`.execute(db);
      return rows[0]?.was_blocked ?? false;
    },
    async list(halfLifeMs, limit) {
      const { rows } = await sql<StateRow & { caller: string }>`
        select c.caller, ${scoreNow(halfLifeMs)} as score, ${blockedForMs} as blocked_for_ms
        from svc_ratelimit.callers c
        where blocked_until > clock_timestamp() or expires_at > clock_timestamp()
        order by blocked_for_ms desc, score desc, caller limit ${limit}`.execute(db);
      return rows.map((row): CallerState => ({ caller: row.caller, ...toState(row) }));
    },
    async purge() {
      const { numAffectedRows = 0n } = await sql`
        delete from svc_ratelimit.callers
        where expires_at < clock_timestamp() and coalesce(blocked_until < clock_timestamp(), true)`.execute(
        db,
      );
      return Number(numAffectedRows);
    },
  };
}
