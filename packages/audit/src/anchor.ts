import { sql } from 'kysely';
import type { Logger } from '@svc/core';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import type { AuditContext } from './context.ts';

/** A checkpoint with its note, which is signed where the log has a signing key. */
export interface CheckpointNote extends Omit<Checkpoint, 'origin' | 'isRetention'> {
  /** The whole of it, as verifiers want it. */
  readonly note: string;
}

/** Keeps a checkpoint elsewhere. May be called again with the same one; what it throws is tried again after a minute. */
export type Anchor = (checkpoint: CheckpointNote) => Promise<void>;

/**
 * Writes each checkpoint as a line of the app's own log, in the field `checkpoint`, so that whatever ships the logs
 * keeps it elsewhere. At level info: a logger that leaves those out keeps nothing.
 */
export function logAnchor(logger: Logger): Anchor {
  return async ({ tenantId, size, note }) =>
    logger.info({ tenantId, size, checkpoint: note }, 'checkpoint of the audit log');
}

/** Hands every checkpoint that is not anchored yet to the anchor, the oldest first. @throws what the anchor throws */
export async function anchorCheckpoints({ db, anchor }: AuditContext): Promise<void> {
  if (anchor === undefined) return;
  for (;;) {
    const [claimed] = await claim(db);
    if (claimed === undefined) return;
    const checkpoint = toCheckpointNote(claimed.note);
    if (checkpoint !== undefined) await anchor(checkpoint);
    await sql`
      update svc_audit.checkpoints set anchored_at = clock_timestamp()
      where tenant_id = ${claimed.tenant_id} and size = ${claimed.size}`.execute(db);
  }
}

interface Claimed {
  tenant_id: string;
  size: bigint;
  note: string;
}

// One statement and the one clock that all processes share, so that one of them hands a checkpoint over.
async function claim(db: AuditContext['db']): Promise<Claimed[]> {
  const { rows } = await sql<Claimed>`
    update svc_audit.checkpoints c set anchor_tried_at = clock_timestamp()
    from (select tenant_id, size from svc_audit.checkpoints
      where anchored_at is null and (anchor_tried_at is null or anchor_tried_at < clock_timestamp() - interval '1 minute')
      order by created_at, tenant_id limit 1 for update skip locked) as next
    where c.tenant_id = next.tenant_id and c.size = next.size
    returning c.tenant_id, c.size, c.note`.execute(db);
  return rows;
}

export function toCheckpointNote(note: string): CheckpointNote | undefined {
  const parsed = parseCheckpoint(note);
  if (parsed === undefined) return undefined;
  const { tenantId, size, root, head, at } = parsed;
  return { tenantId, size, root, head, at, note };
}
