import { sql } from 'kysely';
import type { WebhooksContext } from './context.ts';

export interface Purged {
  readonly deliveries: number;
  readonly events: number;
}

const purgedAtOnce = 2000;

/** Deletes what is over and older, a part at a time, so that nobody waits for it. What is under way stays, however old. */
export async function purge({ db }: WebhooksContext, before: Date): Promise<Purged> {
  const deliveries = await untilNone(async () => {
    const { numAffectedRows } = await sql`
      delete from svc_webhooks.deliveries d
      using (
        select tenant_id, id from svc_webhooks.deliveries
        where created_at < ${before}::timestamptz and status <> 'pending'
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
  return { deliveries, events };
}

async function untilNone(deleteSome: () => Promise<number>): Promise<number> {
  let total = 0;
  for (let count = purgedAtOnce; count === purgedAtOnce; total += count) count = await deleteSome();
  return total;
}
