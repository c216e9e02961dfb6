import { InvalidCursor, type Cursors, isUuid, type Page, toPage } from '@svc/core';
import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { Disclosure } from './commitments.ts';
import { type EntryBody, type SealedEvent, toChain } from './entry.ts';
import { assertTenantId, type AuditOutcome } from './event.ts';
import type { LogScope } from './log-lines.ts';
import { tablesOf } from './tables.ts';

/** What entries are looked for; every condition given must hold. */
export interface AuditFilter {
  /** Whose: one tenant's, the service's own (`null`), or `'every'`. There is no default. */
  readonly tenantId: LogScope;
  readonly type?: string | undefined;
  readonly outcome?: AuditOutcome | undefined;
  readonly actorId?: string | undefined;
  readonly targetId?: string | undefined;
  /** Happened at this moment or later. */
  readonly from?: Date | undefined;
  /** Happened before this moment. */
  readonly until?: Date | undefined;
}

export interface AuditSearch extends AuditFilter {
  /** 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** Of the page before. */
  readonly cursor?: string | undefined;
}

/** A sealed event as it is shown. */
export interface AuditEntry extends Omit<SealedEvent, 'personal'> {
  readonly tenantId: string | null;
  /** Its place in the chain, from 1. */
  readonly seq: number;
  readonly at: Date;
  readonly sealedAt: Date;
  /** `null` where the value is erased. */
  readonly personal: Readonly<Record<string, string | null>>;
  /** Hexadecimal. */
  readonly hash: string;
}

/** An entry with what its hash was made of. */
export interface FoundEntry {
  readonly body: string;
  readonly hash: string;
  readonly fields: Readonly<Record<string, Disclosure>> | null;
}

export const maxSearchLimit = 1000;
const list = 'audit.events';

/** A page of entries, the newest first. @throws {InvalidCursor} */
export async function search(
  { db, cursors }: { db: Db; cursors: Cursors },
  { limit = 100, cursor, ...filter }: AuditSearch,
): Promise<Page<AuditEntry>> {
  if (!Number.isInteger(limit) || limit < 1 || limit > maxSearchLimit)
    throw new TypeError(`limit is a whole number from 1 to ${maxSearchLimit}`);
  const before = cursor === undefined ? undefined : decodePosition(cursors, cursor);
  const rows = await findEntries(db, filter, limit + 1, before);
  return toPage(rows.map(toEntry), limit, ({ at, id }) => cursors.encode(list, [at.getTime(), id]));
}

/** Where a page ended. */
export interface Position {
  readonly atMs: number;
  readonly id: string;
}

/** Entries that fit, the newest first. @throws {TypeError} when the scope is none. */
export async function findEntries(
  db: Db,
  { tenantId, type, outcome, actorId, targetId, from, until }: AuditFilter,
  limit: number,
  before: Position | undefined,
): Promise<FoundEntry[]> {
  if (tenantId !== 'every') assertTenantId(tenantId);
  let query = tablesOf(db)
    .selectFrom('svc_audit.entries as e')
    .leftJoin('svc_audit.personal as p', 'p.entry_id', 'e.id')
    .select(['e.body', 'e.hash', 'p.fields'])
    .orderBy('e.at', 'desc')
    .orderBy('e.id', 'desc')
    .limit(limit);
  if (tenantId !== 'every') query = query.where('e.tenant_id', '=', toChain(tenantId));
  if (type !== undefined) query = query.where('e.type', '=', type);
  if (outcome !== undefined) query = query.where('e.outcome', '=', outcome);
  if (actorId !== undefined) query = query.where('e.actor_id', '=', actorId);
  if (targetId !== undefined) query = query.where('e.target_id', '=', targetId);
  if (from !== undefined) query = query.where('e.at', '>=', from);
  if (until !== undefined) query = query.where('e.at', '<', until);
  if (before !== undefined)
    query = query.where(
      sql<boolean>`(e.at, e.id) < (${new Date(before.atMs)}::timestamptz, ${before.id}::uuid)`,
    );
  return (await query.execute()) as FoundEntry[];
}

export function toEntry({ body, hash, fields }: FoundEntry): AuditEntry {
  const { chain, event } = JSON.parse(body) as EntryBody;
  const personal = Object.keys(event.personal).map((name) => [name, fields?.[name]?.value ?? null]);
  return {
    ...event,
    tenantId: chain.tenantId,
    seq: chain.seq,
    at: new Date(chain.at),
    sealedAt: new Date(chain.sealedAt),
    personal: Object.fromEntries(personal) as Record<string, string | null>,
    hash,
  };
}

// The secret of the cursors may be known (see createAudit), so what comes back is looked at.
function decodePosition(cursors: Cursors, cursor: string): Position {
  let position: readonly unknown[];
  try {
    position = cursors.decode(list, cursor);
  } catch {
    throw new InvalidCursor();
  }
  const [atMs, id] = position;
  if (typeof atMs !== 'number' || Math.abs(atMs) > 8.64e15 || typeof id !== 'string' || !isUuid(id))
    throw new InvalidCursor();
  return { atMs, id };
}
