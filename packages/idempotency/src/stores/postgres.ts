import type { Db } from '@svc/db';
import { CompiledQuery, sql } from 'kysely';
import type { StoredAnswer, Withheld } from '../answer.ts';
import type { Claim, Claimed, IdempotencyStore } from '../store.ts';
import { tablesOf } from '../tables.ts';
import { together } from './together.ts';

interface ClaimedRow {
  state: string;
  fingerprint: string | null;
  lease_left_ms: number;
  status: number | null;
  headers: string | null;
  body: Uint8Array | null;
}

const purgedAtOnce = 5000;

/**
 * Keeps keys in PostgreSQL or PGlite, by the database's clock, and joins the caller's transaction: then key, answer and
 * whatever else is written there commit together or not at all. `db` is never given a transaction.
 */
export function postgresStore(db: Db): IdempotencyStore {
  const claimSoon = together((claims: readonly Claim[]) => claimAll(db, claims));
  return {
    joins: true,
    claim: (claim, within) =>
      within === undefined ? claimSoon(claim) : claimWithin(within, claim),
    finish: (claim, result, within) =>
      within === undefined ? finish(db, claim, result) : insertFinished(within, claim, result),
    async renew({ id, token, leaseMs }) {
      const { numUpdatedRows } = await tablesOf(db)
        .updateTable('svc_idempotency.keys')
        .set({
          lease_until: fromNow(leaseMs),
          expires_at: sql<Date>`greatest(expires_at, ${fromNow(leaseMs)})`,
        })
        .where('key', '=', id)
        .where('token', '=', token)
        .where('state', '=', 'running')
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async release({ id, token }) {
      const { numDeletedRows } = await tablesOf(db)
        .deleteFrom('svc_idempotency.keys')
        .where('key', '=', id)
        .where('token', '=', token)
        .where('state', '=', 'running')
        .executeTakeFirst();
      return numDeletedRows === 1n;
    },
    async purge() {
      let total = 0;
      for (let count = purgedAtOnce; count === purgedAtOnce; total += count)
        count = await purgeSome(db);
      return total;
    },
  };
}

async function claimWithin(
  trx: Db,
  { id, fingerprint, token, leaseMs, ttlMs }: Claim,
): Promise<Claimed> {
  const { rows } = await trx.executeQuery<ClaimedRow>(
    CompiledQuery.raw('select * from svc_idempotency.claim($1, $2, $3, $4, $5, true)', [
      id,
      fingerprint,
      token,
      leaseMs,
      ttlMs,
    ]),
  );
  return toClaimed(rows[0] as ClaimedRow);
}

// No claim waits for another, so that many in one statement cannot wait for each other in a circle.
const claimAllText = `
select claimed.* from unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[])
  with ordinality as asked (id, fingerprint, token, lease_ms, ttl_ms, at),
  lateral svc_idempotency.claim(id, asked.fingerprint, token, lease_ms, ttl_ms, false) as claimed
order by at`;

async function claimAll(db: Db, claims: readonly Claim[]): Promise<Claimed[]> {
  const { rows } = await db.executeQuery<ClaimedRow>(
    CompiledQuery.raw(claimAllText, [
      claims.map(({ id }) => id),
      claims.map(({ fingerprint }) => fingerprint),
      claims.map(({ token }) => token),
      claims.map(({ leaseMs }) => leaseMs),
      claims.map(({ ttlMs }) => ttlMs),
    ]),
  );
  return rows.map(toClaimed);
}

const fromNow = (ms: number) => sql<Date>`clock_timestamp() + ${ms} * interval '1 ms'`;

function columnsOf(result: StoredAnswer | Withheld) {
  if (typeof result === 'string') return { state: result, status: null, headers: null, body: null };
  const { status, headers, body } = result;
  return { state: 'done', status, headers: JSON.stringify(headers), body };
}

async function finish(
  db: Db,
  { id, token }: Claim,
  result: StoredAnswer | Withheld,
): Promise<boolean> {
  const { numUpdatedRows } = await tablesOf(db)
    .updateTable('svc_idempotency.keys')
    .set(columnsOf(result))
    .where('key', '=', id)
    .where('token', '=', token)
    .where('state', '=', 'running')
    .executeTakeFirst();
  return numUpdatedRows === 1n;
}

// What was there when it was claimed may be overwritten, what came since may not: the claim's lock keeps other claims
// away, but not the end of an execution whose lease was over.
const insertText = `
insert into svc_idempotency.keys as k
  (key, fingerprint, token, state, lease_until, expires_at, status, headers, body)
values ($1, $2, $3, $4, clock_timestamp(), clock_timestamp() + $5 * interval '1 ms', $6, $7, $8)
on conflict (key) do update
  set fingerprint = excluded.fingerprint, token = excluded.token, state = excluded.state,
    lease_until = excluded.lease_until, expires_at = excluded.expires_at,
    status = excluded.status, headers = excluded.headers, body = excluded.body
  where k.expires_at <= clock_timestamp()
    or (k.state = 'running' and k.lease_until <= clock_timestamp() and k.fingerprint = $2)`;

async function insertFinished(
  trx: Db,
  { id, fingerprint, token, ttlMs }: Claim,
  result: StoredAnswer | Withheld,
): Promise<boolean> {
  const { state, status, headers, body } = columnsOf(result);
  const parameters = [id, fingerprint, token, state, ttlMs, status, headers, body];
  const { numAffectedRows } = await trx.executeQuery(CompiledQuery.raw(insertText, parameters));
  return numAffectedRows === 1n;
}

async function purgeSome(db: Db): Promise<number> {
  // Of several that purge at once each takes other rows.
  const { numAffectedRows = 0n } = await sql`
    delete from svc_idempotency.keys where key in (
      select key from svc_idempotency.keys where expires_at <= clock_timestamp()
      order by expires_at limit ${purgedAtOnce} for update skip locked)`.execute(db);
  return Number(numAffectedRows);
}

function toClaimed({
  state,
  fingerprint,
  lease_left_ms,
  status,
  headers,
  body,
}: ClaimedRow): Claimed {
  if (state === 'granted') return { state };
  if (state === 'running')
    return {
      state,
      fingerprint: fingerprint ?? undefined,
      leaseLeftMs: Math.max(0, lease_left_ms),
    };
  const result =
    state === 'done'
      ? {
          status: status as number,
          headers: JSON.parse(headers as string) as [string, string][],
          body: body as Uint8Array,
        }
      : (state as Withheld);
  return { state: 'finished', fingerprint: fingerprint as string, result };
}
