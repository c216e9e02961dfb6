import type { Trx } from '@svc/db';
import { afterCommit } from '@svc/db';
import { sql } from 'kysely';
import type { WebhooksContext } from './context.ts';
import { noticed } from './events.ts';
import { holdPending, resumeHeld } from './held.ts';
import { type EndpointRow, tablesOf } from './tables.ts';

/** Something that the owner of an endpoint should know. */
export interface Notice {
  /** `failing`: it will be disabled if this goes on. `disabled`, `gone` (410) and `recovered` have happened. */
  readonly type: 'failing' | 'disabled' | 'gone' | 'recovered';
  readonly tenantId: string;
  readonly endpointId: string;
  /** Since when nothing succeeds. */
  readonly failingSince: Date | null;
}

/** Tells the owner of an endpoint, such as by mail; called in the transaction that it is about, to queue that. */
export type Notify = (notice: Notice, options: { within: Trx }) => Promise<unknown>;

/** When an endpoint is warned about, disabled and tried again. */
export interface HealthPolicy {
  readonly warnAfterMs: number;
  readonly disableAfterMs: number;
  /** In how many hours of the clock something must have failed: one bad night of many events is no reason. */
  readonly minHours: number;
  readonly probeAfterMs: number;
  readonly maxProbes: number;
  readonly slowDownMs: number;
}

export interface Failed {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly deliveryId: string;
  readonly status: number | null;
  readonly isOverloaded: boolean;
  readonly retryAfterMs: number | undefined;
}

/** What a failure means for the delivery that failed. */
export interface Verdict {
  /** When it tries for all others whether the endpoint is back. */
  readonly probeAt?: Date;
  /** Nothing is sent there any more. */
  readonly isOff?: boolean;
}

const longestSlowDownMs = 15 * 60_000;
const longestProbeWaitMs = 24 * 60 * 60_000;

/** Counts a failure against its endpoint, whose row stays locked until the transaction ends. */
export async function recordFailure(
  context: WebhooksContext,
  trx: Trx,
  failed: Failed,
): Promise<Verdict> {
  const { tenantId, endpointId } = failed;
  const row = await countFailure(context, trx, failed);
  if (row === undefined) return { isOff: true };
  if (row.status === 'disabled' || row.status === 'gone') return { isOff: true };
  if (failed.status === 410) {
    await turnOff(context, trx, row, 'gone');
    await holdPending(trx, { tenantId, endpointId, except: failed.deliveryId });
    await tell(context, trx, row, 'gone');
    return { isOff: true };
  }
  if (row.status === 'failing')
    return row.probe_delivery_id === failed.deliveryId ? probeFailed(context, trx, row) : {};
  return judge(context, trx, row, failed.deliveryId);
}

function countFailure(
  { clock, health }: WebhooksContext,
  trx: Trx,
  { tenantId, endpointId, isOverloaded, retryAfterMs = 0 }: Failed,
): Promise<EndpointRow | undefined> {
  const now = clock.now();
  const isNewHour = sql<boolean>`last_failure_at is null or date_trunc('hour', last_failure_at) is distinct from date_trunc('hour', ${now}::timestamptz)`;
  const slowMs = sql`greatest(least(${health.slowDownMs}::float8 * power(2, least(slow_count, 20)), ${longestSlowDownMs}::float8), ${Math.min(retryAfterMs, longestProbeWaitMs)}::float8)`;
  return tablesOf(trx)
    .updateTable('svc_webhooks.endpoints')
    .set({
      failing_since: sql<Date>`coalesce(failing_since, ${now}::timestamptz)`,
      last_failure_at: now,
      failure_hours: sql<number>`failure_hours + case when ${isNewHour} then 1 else 0 end`,
    })
    .$if(isOverloaded, (query) =>
      query.set({
        // Those that were under way together count as one.
        slow_count: sql<number>`slow_count + case when slow_until is null or slow_until <= ${now}::timestamptz then 1 else 0 end`,
        slow_until: sql<Date>`greatest(coalesce(slow_until, '-infinity'), ${now}::timestamptz + ${slowMs} * interval '1 ms')`,
      }),
    )
    .where('tenant_id', '=', tenantId)
    .where('id', '=', endpointId)
    .returningAll()
    .executeTakeFirst();
}

/** First a warning, and long after it the end: by how long it fails, and over how many hours that is spread. */
async function judge(
  context: WebhooksContext,
  trx: Trx,
  row: EndpointRow,
  deliveryId: string,
): Promise<Verdict> {
  const { clock, health } = context;
  const now = clock.now();
  const failingMs = now.getTime() - (row.failing_since ?? now).getTime();
  if (row.warned_at === null) {
    if (failingMs >= health.warnAfterMs && row.failure_hours >= Math.ceil(health.minHours / 2)) {
      await change(trx, row, { warned_at: now });
      await tell(context, trx, row, 'failing');
    }
    return {};
  }
  const warnedMs = now.getTime() - row.warned_at.getTime();
  const isWarned = warnedMs >= health.disableAfterMs - health.warnAfterMs;
  if (!isWarned || failingMs < health.disableAfterMs || row.failure_hours < health.minHours)
    return {};
  await turnOff(context, trx, row, 'failing');
  await change(trx, row, { probe_delivery_id: deliveryId, probes: 0 });
  const of = { tenantId: row.tenant_id, endpointId: row.id };
  await holdPending(trx, { ...of, except: deliveryId });
  await tell(context, trx, row, 'disabled');
  return { probeAt: new Date(now.getTime() + health.probeAfterMs) };
}

/** Each wait is twice the one before, a day at most. */
async function probeFailed(context: WebhooksContext, trx: Trx, row: EndpointRow): Promise<Verdict> {
  const { clock, health } = context;
  const probes = row.probes + 1;
  if (probes >= health.maxProbes) {
    await turnOff(context, trx, row, 'disabled');
    return { isOff: true };
  }
  await change(trx, row, { probes });
  const waitMs = Math.min(health.probeAfterMs * 2 ** probes, longestProbeWaitMs);
  return { probeAt: new Date(clock.now().getTime() + waitMs) };
}

/** After a success nothing counts any more. What was held while the endpoint was off is sent. */
export async function recordSuccess(
  context: WebhooksContext,
  trx: Trx,
  { tenantId, endpointId }: { tenantId: string; endpointId: string },
): Promise<void> {
  const row = await tablesOf(trx)
    .selectFrom('svc_webhooks.endpoints')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('id', '=', endpointId)
    .forNoKeyUpdate()
    .executeTakeFirst();
  if (row === undefined) return;
  await change(trx, row, {
    ...healthy,
    ...(row.status === 'failing' && { status: 'enabled', updated_at: context.clock.now() }),
  });
  if (row.status !== 'failing') return;
  await resumeHeld(context, trx, { tenantId, endpointId });
  await tell(context, trx, row, 'recovered');
}

/** The columns of an endpoint about which there is nothing to say. */
export const healthy = {
  failing_since: null,
  last_failure_at: null,
  failure_hours: 0,
  warned_at: null,
  slow_until: null,
  slow_count: 0,
  probe_delivery_id: null,
  probes: 0,
} as const;

async function turnOff(
  { clock }: WebhooksContext,
  trx: Trx,
  row: EndpointRow,
  status: EndpointRow['status'],
): Promise<void> {
  await change(trx, row, { status, probe_delivery_id: null, updated_at: clock.now() });
}

async function change(trx: Trx, row: EndpointRow, set: Partial<EndpointRow>): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_webhooks.endpoints')
    .set(set)
    .where('tenant_id', '=', row.tenant_id)
    .where('id', '=', row.id)
    .execute();
}

async function tell(
  { name, notify }: WebhooksContext,
  trx: Trx,
  row: EndpointRow,
  type: Notice['type'],
): Promise<void> {
  const notice: Notice = {
    type,
    tenantId: row.tenant_id,
    endpointId: row.id,
    failingSince: row.failing_since,
  };
  await notify?.(notice, { within: trx });
  afterCommit(trx, () => noticed.publish(name, notice));
}
