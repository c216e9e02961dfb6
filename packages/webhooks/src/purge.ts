import { transact } from '@svc/db';
import { sql } from 'kysely';
import type { WebhooksContext } from './context.ts';

export interface Purged {
  readonly deliveries: number;
  readonly events: number;
  /** Whose job was lost, such as by somebody who cancelled it. */
  readonly queuedAgain: number;
}

const purgedAtOnce = 2000;

/** Deletes what is over and older, a part at a time, so that nobody waits for it. What is under way or held stays, however old; what is under way and has lost its job gets another. */
export async function purge(context: WebhooksContext, before: Date): Promise<Purged> {
  const { db } = context;
  const queuedAgain = await untilNone(() => queueLost(context));
  const deliveries = await untilNone(async () => {
    const { numAffectedRows } = await sql`
      delete from svc_webhooks.deliveries d
      using (
        select tenant_id, id from svc_webhooks.deliveries
        where created_at < ${before}::timestamptz and status not in ('pending', 'held')
        order by created_at limit ${purgedAtOnce}::int for update skip locked
      ) old
      where d.tenant_id = old.tenant_id and d.id = old.id`.execute(db);
    return Number(numAffectedRows ?? 0n);
  });
  // Later than its deliveries: those of an event that is being published are not seen yet, but it is not that old.
  const events = await untilNone(async () => {
    const { numAffectedRows } = await sql`
      delete from svc_webhooks.events e
      using (
        select tenant_id, id from svc_webhooks.events
        where created_at < ${before}::timestamptz and not exists (
          select from svc_webhooks.deliveries d where d.tenant_id = events.tenant_id and d.event_id = events.id
        )
        order by created_at limit ${purgedAtOnce}::int for update skip locked
      ) old
      where e.tenant_id = old.tenant_id and e.id = old.id`.execute(db);
    return Number(numAffectedRows ?? 0n);
  });
  await sql`delete from svc_webhooks.secrets where expires_at < ${before}::timestamptz`.execute(db);
  return { deliveries, events, queuedAgain };
}

/** Nothing is so late but for want of a job: a line is worked off from its head, which is found here. */
const lostAfterMs = 60 * 60_000;

async function queueLost({ db, clock, queue }: WebhooksContext): Promise<number> {
  const late = new Date(clock.now().getTime() - lostAfterMs);
  return transact(db, async (trx) => {
    const { rows } = await sql<{ tenant_id: string; id: string; turn: number }>`
      update svc_webhooks.deliveries d set turn = d.turn + 1, next_attempt_at = ${clock.now()}::timestamptz
      from (
        select tenant_id, id from svc_webhooks.deliveries
        where status = 'pending' and coalesce(next_attempt_at, created_at) < ${late}::timestamptz
          and coalesce(lease_until, '-infinity') < ${late}::timestamptz
        limit ${purgedAtOnce}::int for update skip locked
      ) lost
      where d.tenant_id = lost.tenant_id and d.id = lost.id
      returning d.tenant_id, d.id, d.turn`.execute(trx);
    const jobs = rows.map(({ tenant_id: tenantId, id: deliveryId, turn }) => ({
      payload: { tenantId, deliveryId, turn },
      group: tenantId,
    }));
    if (jobs.length > 0) await queue(jobs, trx);
    return jobs.length;
  });
}

async function untilNone(deleteSome: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let count = purgedAtOnce; count === purgedAtOnce; total += count) count = await deleteSome();
  return total;
}
