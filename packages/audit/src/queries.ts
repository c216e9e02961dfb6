import { type Db, transact, type Trx } from '@svc/db';
import { type RawBuilder, sql } from 'kysely';
import { genesisOf, serviceChain, toTenantId } from './entry.ts';
import { type ChainRow, type EntryRow, type PendingRow, tablesOf } from './tables.ts';

/** The chains for which something waits. What waits is short, so it is read, not counted on. */
export async function chainsToSeal(db: Db): Promise<string[]> {
  const { rows } = await sql<{ tenant_id: string }>`
    select distinct tenant_id from svc_audit.pending order by tenant_id`.execute(db);
  return rows.map((row) => row.tenant_id);
}

/** Whether a seal waits for a chain that is locked, or leaves it to whoever has it. */
export type WhenLocked = 'wait' | 'skip';

/** Whoever holds a lock for longer than this keeps no sealer waiting: it fails, and says so. */
export async function limitLocks(trx: Trx, ms: number): Promise<void> {
  await sql`select set_config('lock_timeout', ${String(ms)}, true)`.execute(trx);
}

/** Makes the chains that are not there yet, in a transaction of its own, so that two processes never wait crosswise. */
export async function ensureChains(
  db: Db,
  chains: readonly string[],
  lockMs: number,
): Promise<void> {
  const found = await tablesOf(db)
    .selectFrom('svc_audit.chains')
    .select('tenant_id')
    .where(sql<boolean>`tenant_id = any(${chains}::uuid[])`)
    .execute();
  const known = new Set(found.map((row) => row.tenant_id));
  const rows = chains
    .filter((chain) => !known.has(chain))
    .map((chain) => ({ tenant_id: chain, head: genesisOf(toTenantId(chain)) }));
  if (rows.length === 0) return;
  await transact(db, async (trx) => {
    await limitLocks(trx, lockMs);
    await sql`
      insert into svc_audit.chains (tenant_id, size, head, frontier)
      select r.tenant_id, 0, r.head, ''
      from json_to_recordset(${JSON.stringify(rows)}::json) as r (tenant_id uuid, head text)
      order by r.tenant_id
      on conflict (tenant_id) do nothing`.execute(trx);
  });
}

/**
 * Locks the ends of these chains until the transaction ends, so that one process at a time gives out sequence
 * numbers: `select … for update` on the row that is then written (a lock on the last entry would not do: a
 * transaction that waited for it reads on from an entry that is no longer the last).
 */
export async function lockChains(
  trx: Trx,
  chains: readonly string[],
  whenLocked: WhenLocked,
): Promise<ChainRow[]> {
  const query = tablesOf(trx)
    .selectFrom('svc_audit.chains')
    .selectAll()
    .where(sql<boolean>`tenant_id = any(${chains}::uuid[])`)
    .orderBy('tenant_id')
    .forUpdate();
  return (whenLocked === 'skip' ? query.skipLocked() : query).execute();
}

/** What waits for these chains, at most `limit` of each, whatever order it was committed in. */
export async function readPending(
  trx: Trx,
  chains: readonly string[],
  limit: number,
): Promise<PendingRow[]> {
  const { rows } = await sql<PendingRow>`
    select p.tenant_id, p.id, p.at_ms, p.event, p.personal
    from unnest(${chains}::uuid[]) as c (tenant_id)
      cross join lateral (
        select * from svc_audit.pending w where w.tenant_id = c.tenant_id order by id limit ${limit}
      ) as p`.execute(trx);
  return rows;
}

/**
 * Removes what is sealed now; gives it with the personal values that it has at this moment, which are fewer than
 * when it was read where somebody erased them in between.
 */
export async function removePending(
  trx: Trx,
  sealed: readonly PendingRow[],
): Promise<RemovedRow[]> {
  const { rows } = await sql<RemovedRow>`
    delete from svc_audit.pending p
    using unnest(${sealed.map((row) => row.tenant_id)}::uuid[], ${sealed.map((row) => row.id)}::uuid[])
      as s (tenant_id, id)
    where p.tenant_id = s.tenant_id and p.id = s.id
    returning p.tenant_id, p.id, p.personal`.execute(trx);
  return rows;
}

export type RemovedRow = Pick<PendingRow, 'tenant_id' | 'id' | 'personal'>;

/** An entry as it is inserted: times as text, numbers as numbers. */
export interface SealedRow extends Omit<EntryRow, 'seq' | 'at'> {
  readonly seq: number;
  readonly at: string;
}

export async function insertEntries(trx: Trx, rows: readonly SealedRow[]): Promise<void> {
  await sql`
    insert into svc_audit.entries
      (body, hash, tenant_id, seq, id, at, type, outcome, actor_type, actor_id, target_type, target_id)
    select * from json_to_recordset(${JSON.stringify(rows)}::json) as r (body text, hash text, tenant_id uuid,
      seq bigint, id uuid, at timestamptz, type text, outcome text, actor_type text, actor_id text,
      target_type text, target_id text)`.execute(trx);
}

export async function insertPersonal(trx: Trx, removed: readonly RemovedRow[]): Promise<void> {
  const rows = removed.flatMap(({ id, tenant_id, personal }) =>
    personal === null
      ? []
      : [`{"entry_id":"${id}","tenant_id":"${tenant_id}","fields":${personal}}`],
  );
  if (rows.length === 0) return;
  await sql`
    insert into svc_audit.personal (entry_id, tenant_id, fields)
    select * from json_to_recordset(${`[${rows.join(',')}]`}::json) as r (entry_id uuid, tenant_id uuid, fields jsonb)`.execute(
    trx,
  );
}

export interface NewHead {
  readonly tenant_id: string;
  readonly size: number;
  readonly head: string;
  readonly frontier: string;
  readonly sealed_at: string;
  readonly note: string;
  readonly checkpoint_at: string;
}

export async function updateHeads(trx: Trx, heads: readonly NewHead[]): Promise<void> {
  await sql`
    update svc_audit.chains c
    set size = r.size, head = r.head, frontier = r.frontier, sealed_at = r.sealed_at, note = r.note,
      checkpoint_at = r.checkpoint_at
    from json_to_recordset(${JSON.stringify(heads)}::json) as r (tenant_id uuid, size bigint, head text,
      frontier text, sealed_at timestamptz, note text, checkpoint_at timestamptz)
    where c.tenant_id = r.tenant_id`.execute(trx);
}

// Whether the columns that are searched say what the body says. The body is canonical, so a part with its
// punctuation stands at one place only, and no text can pass for it: the quotes of texts are escaped. Comparing
// text costs a fifth of parsing JSON.
const isFiledRight = sql<boolean>`(
  starts_with(e.body, '{"chain":{"at":' || case when isfinite(e.at) then (extract(epoch from e.at) * 1000)::bigint end || ',"previous":"')
  and position(',"seq":' || e.seq || ',"tenantId":'
    || case e.tenant_id when ${sql.lit(serviceChain)} then 'null' else '"' || e.tenant_id || '"' end
    || ',"v":1},"event":{"actor":{"id":' || coalesce(to_json(e.actor_id)::text, 'null') || ',"reason":'
    in e.body) > 0
  and position(',"type":"' || e.actor_type || '"},"details":{' in e.body) > 0
  and position('},"id":"' || e.id || '","outcome":"' || e.outcome || '","personal":{' in e.body) > 0
  and ${endsWith('e.body', tailOf())}) is true`;

// Bytes: `right` counts the characters of the whole body, which costs as much as all the rest.
function endsWith(text: string, end: RawBuilder<string>): RawBuilder<boolean> {
  const bytes = sql`convert_to(${sql.raw(text)}, 'UTF8')`;
  const from = sql`octet_length(${sql.raw(text)}) - octet_length(${end}) + 1`;
  return sql<boolean>`substring(${bytes} from ${from}) = convert_to(${end}, 'UTF8')`;
}

function tailOf() {
  return sql<string>`(',"target":' || case when e.target_id is null then 'null' else
    '{"id":' || to_json(e.target_id) || ',"type":' || to_json(e.target_type) || '}' end
    || ',"type":"' || e.type || '"}}')`;
}

export interface LinesWanted {
  readonly after: number;
  readonly upTo: number;
  readonly limit: number;
  /** Whether the searched columns are compared with the bodies, which triples what reading costs. */
  readonly checkFiling: boolean;
}

/** Lines of an export. */
export interface LogLines {
  readonly lines: string;
  /** The sequence number of the last of them; `undefined` when there is none. */
  readonly last: number | undefined;
  /** Those whose columns do not say what is hashed. */
  readonly misfiled: readonly number[];
}

/** The entries of a chain after `seq`, with what is not erased of their personal values. */
export async function readLines(
  db: Db,
  chain: string,
  { after, upTo, limit, checkFiling }: LinesWanted,
): Promise<LogLines> {
  // One text for many rows: building it here would cost more than hashing them.
  const { rows } = await sql<{
    lines: string | null;
    last: bigint | null;
    misfiled: bigint[] | null;
  }>`
    select string_agg('{"entry":' || e.body || ',"hash":"' || e.hash || '"'
        || coalesce(',"personal":' || p.fields::text, '') || '}', E'\n' order by e.seq) as lines,
      max(e.seq) as last,
      array_agg(e.seq) filter (where not ${checkFiling ? isFiledRight : sql<boolean>`true`}) as misfiled
    from (select * from svc_audit.entries
      where tenant_id = ${chain} and seq > ${after} and seq <= ${upTo} order by seq limit ${limit}) e
    left join svc_audit.personal p on p.entry_id = e.id`.execute(db);
  const { lines, last, misfiled } = rows[0] ?? { lines: null, last: null, misfiled: null };
  return {
    lines: lines ?? '',
    last: last === null ? undefined : Number(last),
    misfiled: (misfiled ?? []).map(Number),
  };
}
