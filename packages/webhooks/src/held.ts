import type { Trx } from '@svc/db';
import { sql } from 'kysely';
import type { WebhooksContext } from './context.ts';
import { tablesOf } from './tables.ts';

interface OfEndpoint {
  readonly tenantId: string;
  readonly endpointId: string;
}

/** What is sent again all at once would push live events aside: so many a second of one endpoint. */
export const replayedPerSecond = 10;

/** Has what is under way to an endpoint wait until it is on again. The endpoint's row is locked. */
export async function holdPending(
  trx: Trx,
  { tenantId, endpointId, except }: OfEndpoint & { except?: string },
): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_webhooks.deliveries')
    .set({ status: 'held' })
    .where('tenant_id', '=', tenantId)
    .where('endpoint_id', '=', endpointId)
    .where('status', '=', 'pending')
    .$if(except !== undefined, (query) => query.where('id', '!=', except as string))
    .execute();
}

/** Sends what was held, in order and spread over time; also what waits in line, whose job may be over. The endpoint's row is locked. */
export async function resumeHeld(
  { clock, queue }: WebhooksContext,
  trx: Trx,
  { tenantId, endpointId }: OfEndpoint,
): Promise<void> {
  const now = clock.now();
  const { rows } = await sql<{ id: string; turn: number; next_attempt_at: Date }>`
    update svc_webhooks.deliveries d
    set status = 'pending', turn = d.turn + 1, has_slot = false,
      next_attempt_at = ${now}::timestamptz + line.place * ${1000 / replayedPerSecond}::float8 * interval '1 ms'
    from (
      select id, row_number() over (order by position) - 1 as place
      from svc_webhooks.deliveries
      where tenant_id = ${tenantId} and endpoint_id = ${endpointId}::uuid and status = 'held'
    ) line
    where d.tenant_id = ${tenantId} and d.id = line.id and d.status = 'held'
    returning d.id, d.turn, d.next_attempt_at`.execute(trx);
  const jobs = rows.map(({ id, turn, next_attempt_at }) => ({
    payload: { tenantId, deliveryId: id, turn },
    runAt: next_attempt_at,
    group: tenantId,
  }));
  if (jobs.length > 0) await queue(jobs, trx);
}
