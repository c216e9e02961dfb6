import { type Cursors, InvalidCursor, type Page, toPage } from '@svc/core';
import type { Db } from '@svc/db';
import { type CheckpointNote, toCheckpointNote } from './anchor.ts';
import { toChain } from './entry.ts';
import { assertTenantId } from './event.ts';
import { tablesOf } from './tables.ts';

export interface CheckpointSearch {
  /** Whose; `null` is the service's own chain. */
  readonly tenantId: string | null;
  /** 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** Of the page before. */
  readonly cursor?: string | undefined;
}

const list = 'audit.checkpoints';

export async function listCheckpoints(
  { db, cursors }: { db: Db; cursors: Cursors },
  { tenantId, limit = 100, cursor }: CheckpointSearch,
): Promise<Page<CheckpointNote>> {
  assertTenantId(tenantId);
  if (!Number.isInteger(limit) || limit < 1 || limit > 1000)
    throw new TypeError('limit is a whole number from 1 to 1000');
  const chain = toChain(tenantId);
  const below = cursor === undefined ? undefined : decodeSize(cursors, cursor);
  const kept = tablesOf(db)
    .selectFrom('svc_audit.checkpoints')
    .select(['size', 'note'])
    .where('tenant_id', '=', chain);
  const present = tablesOf(db)
    .selectFrom('svc_audit.chains')
    .select(['size', 'note'])
    .where('tenant_id', '=', chain)
    .where('note', 'is not', null)
    .$castTo<{ size: bigint; note: string }>();
  const rows = await tablesOf(db)
    .selectFrom(kept.union(present).as('all'))
    .select(['all.size', 'all.note'])
    .$if(below !== undefined, (query) => query.where('all.size', '<', below as bigint))
    .orderBy('all.size', 'desc')
    .limit(limit + 1)
    .execute();
  const checkpoints = rows.flatMap(({ note }) => toCheckpointNote(note) ?? []);
  return toPage(checkpoints, limit, ({ size }) => cursors.encode(list, [size]));
}

function decodeSize(cursors: Cursors, cursor: string): bigint {
  let size: unknown;
  try {
    [size] = cursors.decode(list, cursor);
  } catch {
    throw new InvalidCursor();
  }
  if (!Number.isSafeInteger(size)) throw new InvalidCursor();
  return BigInt(size as number);
}
