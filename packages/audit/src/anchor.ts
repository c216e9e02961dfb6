import { sql } from 'kysely';
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
import type { AuditContext } from './context.ts';

/** A checkpoint with its signature, to be kept where the service's operators cannot change it. */
export interface AnchoredCheckpoint extends Omit<Checkpoint, 'origin' | 'isRetention'> {
  /** The whole of it, as verifiers want it. */
  readonly note: string;
}

/** Keeps a checkpoint elsewhere. May be called again with the same one; what it throws is tried again after a minute. */
export type Anchor = (checkpoint: AnchoredCheckpoint) => Promise<void>;

/** Hands every checkpoint that is not anchored yet to the anchor, the oldest first. @throws what the anchor throws */
export async function anchorCheckpoints({ db, clock, anchor }: AuditContext): Promise<void> {
  if (anchor === undefined) return;
  for (;;) {
    const [claimed] = await claim(db, clock.now());
    if (claimed === undefined) return;
    const checkpoint = toAnchored(claimed.note);
    if (checkpoint !== undefined) await anchor(checkpoint);
    await sql`
      update svc_audit.checkpoints set anchored_at = ${clock.now()}
      where tenant_id = ${claimed.tenant_id} and size = ${claimed.size}`.execute(db);
  }
}

interface Claimed {
  tenant_id: string;
  size: bigint;
  note: string;
}

// One statement, so that of several processes one hands a checkpoint over.
async function claim(db: AuditContext['db'], now: Date): Promise<Claimed[]> {
  const retryBefore = new Date(now.getTime() - 60_000);
  const { rows } = await sql<Claimed>`
    update svc_audit.checkpoints c set anchor_tried_at = ${now}
    from (select tenant_id, size from svc_audit.checkpoints
      where anchored_at is null and (anchor_tried_at is null or anchor_tried_at < ${retryBefore})
      order by created_at, tenant_id limit 1 for update skip locked) as next
    where c.tenant_id = next.tenant_id and c.size = next.size
    returning c.tenant_id, c.size, c.note`.execute(db);
  return rows;
}

export function toAnchored(note: string): AnchoredCheckpoint | undefined {
  const parsed = parseCheckpoint(note);
  if (parsed === undefined) return undefined;
  const { tenantId, size, root, head, at } = parsed;
  return { tenantId, size, root, head, at, note };
}
