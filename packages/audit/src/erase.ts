import { transact, type Trx } from '@svc/db';
import { sql } from 'kysely';
import { append } from './append.ts';
import type { AuditContext, WriteOptions } from './context.ts';
import type { AuditActor } from './event.ts';

/** Whose or which personal values are erased: exactly one of the three. */
export interface AuditErasure {
  /** Of every event that this user did or that was done to them. */
  readonly userId?: string;
  /** Of every event that has this value, such as an e-mail address that never became a user. Reads the whole table. */
  readonly value?: string;
  /** Of every event before this moment. */
  readonly before?: Date;
  /** Who asks for it; goes into the log. */
  readonly by: AuditActor;
  readonly requestId?: string | null;
}

/**
 * Deletes salts and values for good; the commitments stay, so the chain stays valid and says nothing any more.
 * Gives the number of events.
 */
export async function erase(
  context: AuditContext,
  erasure: AuditErasure,
  { within }: WriteOptions,
): Promise<number> {
  const { userId, value, before, by, requestId = null } = erasure;
  const criteria = [userId, value, before].filter((each) => each !== undefined);
  if (criteria.length !== 1) throw new TypeError('erase takes one of userId, value and before');
  return transact(within ?? context.db, async (trx) => {
    // Waiting ones first: where a sealer has just taken one, this waits for its commit, and then finds it sealed.
    const waiting = await erasePending(trx, erasure);
    const count = waiting + (await eraseSealed(trx, erasure));
    await append(context, trx, {
      type: 'audit.personal.erased',
      actor: by,
      ...(userId === undefined ? {} : { target: { type: 'user', id: userId } }),
      requestId,
      details: { events: count, ...(before === undefined ? {} : { before: before.toISOString() }) },
    });
    return count;
  });
}

async function eraseSealed(trx: Trx, { userId, value, before }: AuditErasure): Promise<number> {
  const condition =
    value !== undefined
      ? sql`exists (select from jsonb_each(p.fields) f where f.value ->> 'value' = ${value})`
      : userId !== undefined
        ? sql`p.entry_id in (select id from svc_audit.entries where actor_id = ${userId}
            union all select id from svc_audit.entries where target_id = ${userId})`
        : sql`p.entry_id in (select id from svc_audit.entries where at < ${before})`;
  const result = await sql`delete from svc_audit.personal p where ${condition}`.execute(trx);
  return Number(result.numAffectedRows ?? 0);
}

async function erasePending(trx: Trx, { userId, value, before }: AuditErasure): Promise<number> {
  const condition =
    value !== undefined
      ? sql`exists (select from jsonb_each(personal::jsonb) f where f.value ->> 'value' = ${value})`
      : userId !== undefined
        ? sql`${userId} in (event::jsonb #>> '{actor,id}', event::jsonb #>> '{target,id}')`
        : sql`at_ms < ${before?.getTime()}`;
  const result = await sql`
    update svc_audit.pending set personal = null where personal is not null and ${condition}`.execute(
    trx,
  );
  return Number(result.numAffectedRows ?? 0);
}
