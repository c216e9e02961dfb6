import { transact, type Trx } from '@svc/db';
import { type RawBuilder, sql } from 'kysely';
import { append } from './append.ts';
import type { AuditContext, WriteOptions } from './context.ts';
import { serviceChain, toTenantId } from './entry.ts';
import { erased, joinNames, namedAtOnce } from './erasures.ts';
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
 * Deletes salts and values for good; the commitments stay, so the chain stays valid and says nothing any more. Each
 * log concerned gets entries that name its own, without which verifying finds the values missing. Gives the number of
 * events.
 */
export async function erase(
  context: AuditContext,
  erasure: AuditErasure,
  { within }: WriteOptions,
): Promise<number> {
  const { userId, value, before } = erasure;
  const criteria = [userId, value, before].filter((each) => each !== undefined);
  if (criteria.length !== 1) throw new TypeError('erase takes one of userId, value and before');
  return transact(within ?? context.db, async (trx) => {
    await sql`select set_config('svc_audit.erasing', 'on', true)`.execute(trx);
    // Waiting ones first: where a sealer has just taken one, this waits for its commit, and then finds it sealed.
    const gone = [...(await erasePending(trx, erasure)), ...(await eraseSealed(trx, erasure))];
    await sql`select set_config('svc_audit.erasing', 'off', true)`.execute(trx);
    await tell(context, trx, erasure, gone);
    return gone.length;
  });
}

interface Erased {
  readonly tenant_id: string;
  readonly id: string;
}

async function tell(
  context: AuditContext,
  trx: Trx,
  { userId, before, by, requestId = null }: AuditErasure,
  gone: readonly Erased[],
): Promise<void> {
  const byChain = Map.groupBy(gone, (row) => row.tenant_id);
  // The service's own log tells of each erasure, also of one that found nothing.
  for (const chain of new Set([serviceChain, ...byChain.keys()])) {
    const ids = (byChain.get(chain) ?? []).map((row) => row.id);
    for (let at = 0; at === 0 || at < ids.length; at += namedAtOnce) {
      const some = ids.slice(at, at + namedAtOnce);
      await append(context, trx, {
        type: erased,
        actor: by,
        tenantId: toTenantId(chain),
        ...(userId === undefined ? {} : { target: { type: 'user', id: userId } }),
        requestId,
        details: {
          events: chain === serviceChain ? gone.length : ids.length,
          ...(before === undefined ? {} : { before: before.toISOString() }),
          ...(some.length === 0 ? {} : { entries: joinNames(some) }),
        },
      });
    }
  }
}

function eraseSealed(trx: Trx, { userId, value, before }: AuditErasure): Promise<Erased[]> {
  const condition =
    value !== undefined
      ? sql`exists (select from jsonb_each(p.fields) f where f.value ->> 'value' = ${value})`
      : userId !== undefined
        ? sql`p.entry_id in (select id from svc_audit.entries where actor_id = ${userId}
            union all select id from svc_audit.entries where target_id = ${userId})`
        : sql`p.entry_id in (select id from svc_audit.entries where at < ${before})`;
  return rowsOf(
    trx,
    sql`delete from svc_audit.personal p where ${condition} returning p.tenant_id, p.entry_id as id`,
  );
}

function erasePending(trx: Trx, { userId, value, before }: AuditErasure): Promise<Erased[]> {
  const condition =
    value !== undefined
      ? sql`exists (select from jsonb_each(personal::jsonb) f where f.value ->> 'value' = ${value})`
      : userId !== undefined
        ? sql`${userId} in (event::jsonb #>> '{actor,id}', event::jsonb #>> '{target,id}')`
        : sql`at_ms < ${before?.getTime()}`;
  return rowsOf(
    trx,
    sql`update svc_audit.pending set personal = null where personal is not null and ${condition}
      returning tenant_id, id`,
  );
}

const rowsOf = async (trx: Trx, query: RawBuilder<unknown>) =>
  (await query.execute(trx)).rows as Erased[];
