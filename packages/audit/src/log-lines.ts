import type { Db } from '@svc/db';
import { erasedAfter } from './erasures.ts';
import { ErasedMeanwhile, PurgedMeanwhile } from './failures.ts';
import { serviceChain, toChain, toTenantId } from './entry.ts';
import { splitFrontier } from './frontier.ts';
import { readLines } from './queries.ts';
import { type ChainRow, tablesOf } from './tables.ts';

// The log as NDJSON, whole chains one after the other, the service's own first. Three kinds of lines:
//   {"chain":{"tenantId","head","purged","frontier"}}   its signed end, and where it begins since a purge
//   {"checkpoint":"<note>"}                             the checkpoints on the way
//   {"entry":{…},"hash":"…","personal":{…}}             the entries; the personal values that are not erased

/** Which chains: one tenant's, the service's own (`null`), or every one. */
export type LogScope = string | null | 'every';

/** The beginning of a chain in an export. */
export interface ChainHeader {
  readonly tenantId: string | null;
  /** The checkpoint of its end; `null` where there is none, though there are entries. */
  readonly head: string | null;
  /** The checkpoint behind which older entries were removed. */
  readonly purged: string | null;
  /** The Merkle frontier there. */
  readonly frontier: readonly string[];
}

const linesAtOnce = 2000;

export interface LogLinesOptions {
  /** Called once before anything is read. */
  seal(): Promise<unknown>;
  /** Told of each chain before its entries are read. */
  onChain?(row: ChainRow): void;
  /** Told of entries whose personal values were erased after the end that was read, so that none of the lines says so. @default then reading throws */
  onErased?(ids: readonly string[]): void;
  /** Told of entries whose columns do not say what is hashed. */
  onMisfiled?(chain: string, seqs: readonly number[]): void;
}

/** Chunks of whole lines. @throws {PurgedMeanwhile} @throws {ErasedMeanwhile} */
export async function* logLines(
  db: Db,
  scope: LogScope,
  { seal, ...listeners }: LogLinesOptions,
): AsyncGenerator<string> {
  const chains = await chainsOf(db, scope);
  // After that the service's own chain knows each of them.
  await seal();
  for (const chain of chains) yield* chainLines(db, chain, listeners);
}

// Chains are taken from the entries, too: one whose end was deleted must not go unnoticed.
export async function chainsOf(db: Db, scope: LogScope): Promise<string[]> {
  if (scope !== 'every') return [toChain(scope)];
  const rows = await tablesOf(db)
    .selectFrom('svc_audit.chains')
    .select('tenant_id')
    .union(tablesOf(db).selectFrom('svc_audit.entries').select('tenant_id').distinct())
    .execute();
  const others = rows.map((row) => row.tenant_id).filter((chain) => chain !== serviceChain);
  return [serviceChain, ...others.toSorted()];
}

type ReadChain = ChainRow & { last_seq: bigint | null };

async function* chainLines(
  db: Db,
  chain: string,
  { onChain, onErased, onMisfiled }: Omit<LogLinesOptions, 'seal'>,
): AsyncGenerator<string> {
  const row = await readChain(db, chain);
  if (row !== undefined) onChain?.(row);
  yield `${headerLine(chain, row)}\n${await checkpointLines(db, chain, row)}`;
  const upTo = Number(row?.last_seq ?? (await lastSeqOf(db, chain)) ?? 0);
  const options = { upTo, limit: linesAtOnce, checkFiling: onMisfiled !== undefined };
  let next = readLines(db, chain, { after: Number.MIN_SAFE_INTEGER, ...options });
  for (;;) {
    const { lines, last, misfiled } = await next;
    if (last === undefined) break;
    if (misfiled.length > 0) onMisfiled?.(chain, misfiled);
    // The database reads the next lines while these are worked on; should nobody come back for them, nobody
    // hears of their failure.
    next = readLines(db, chain, { after: last, ...options });
    next.catch(() => {});
    yield `${lines}\n`;
  }
  const now = await readChain(db, chain);
  if (now?.purged_size !== row?.purged_size) throw new PurgedMeanwhile();
  const erased = await erasedAfter(db, chain, upTo);
  if (erased.length > 0 && onErased === undefined) throw new ErasedMeanwhile();
  onErased?.(erased);
}

// One statement, so one moment: an entry beyond the end is none that was sealed after the end was read.
function readChain(db: Db, chain: string): Promise<ReadChain | undefined> {
  return tablesOf(db)
    .selectFrom('svc_audit.chains as c')
    .selectAll('c')
    .select((eb) =>
      eb
        .selectFrom('svc_audit.entries as e')
        .select((of) => of.fn.max('e.seq').as('last_seq'))
        .whereRef('e.tenant_id', '=', 'c.tenant_id')
        .as('last_seq'),
    )
    .where('c.tenant_id', '=', chain)
    .executeTakeFirst() as Promise<ReadChain | undefined>;
}

async function lastSeqOf(db: Db, chain: string): Promise<bigint | null> {
  const row = await tablesOf(db)
    .selectFrom('svc_audit.entries')
    .select((eb) => eb.fn.max('seq').as('last_seq'))
    .where('tenant_id', '=', chain)
    .executeTakeFirst();
  return row?.last_seq ?? null;
}

function headerLine(chain: string, row: ChainRow | undefined): string {
  const header: ChainHeader = {
    tenantId: toTenantId(chain),
    head: row?.note ?? null,
    purged: row?.purged_note ?? null,
    frontier: splitFrontier(row?.purged_frontier ?? ''),
  };
  return JSON.stringify({ chain: header });
}

async function checkpointLines(db: Db, chain: string, row: ChainRow | undefined): Promise<string> {
  if (row === undefined) return '';
  const rows = await tablesOf(db)
    .selectFrom('svc_audit.checkpoints')
    .select('note')
    .where('tenant_id', '=', chain)
    .orderBy('size')
    .execute();
  return rows.map(({ note }) => `${JSON.stringify({ checkpoint: note })}\n`).join('');
}
