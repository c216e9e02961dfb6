import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import type { DeliveryStatus, EndpointStatus } from './tables.ts';

/** A delivery, its event and its endpoint, as a job finds them. */
export interface FoundDelivery {
  tenant_id: string;
  id: string;
  event_id: string;
  endpoint_id: string;
  order_key: string | null;
  status: DeliveryStatus;
  is_test: boolean;
  turn: number;
  step: number;
  has_slot: boolean;
  next_attempt_at: Date | null;
  /** More than 0 while somebody is at it. */
  lease_left_ms: number | null;
  /** Null once purged. */
  body: string | null;
  /** Null once the endpoint is deleted, as all below. */
  endpoint_status: EndpointStatus | null;
  url: string;
  sealed_headers: string | null;
  rate_per_minute: number | null;
  slow_until: Date | null;
  failing_since: Date | null;
  probe_delivery_id: string | null;
  /** Those that sign now, the oldest first. */
  secrets: readonly { id: string; sealed: string; scheme: 'v1' | 'v1a' }[] | null;
}

interface Key {
  readonly tenantId: string;
  readonly deliveryId: string;
}

/** All that a try needs, in one round trip. */
export async function findDelivery(
  db: Db,
  { tenantId, deliveryId, now }: Key & { now: Date },
): Promise<FoundDelivery | undefined> {
  const { rows } = await sql<FoundDelivery>`
    select d.tenant_id, d.id, d.event_id, d.endpoint_id, d.order_key, d.status, d.is_test, d.turn, d.step, d.has_slot,
      d.next_attempt_at, (extract(epoch from d.lease_until - clock_timestamp()) * 1000)::float8 as lease_left_ms,
      e.body, ep.status as endpoint_status, ep.url, ep.sealed_headers, ep.rate_per_minute, ep.slow_until,
      ep.failing_since, ep.probe_delivery_id,
      (select json_agg(json_build_object('id', s.id, 'sealed', s.sealed, 'scheme', s.scheme) order by s.id)
        from svc_webhooks.secrets s
        where s.tenant_id = d.tenant_id and s.endpoint_id = d.endpoint_id
          and (s.expires_at is null or s.expires_at > ${now}::timestamptz)) as secrets
    from svc_webhooks.deliveries d
    left join svc_webhooks.events e on e.tenant_id = d.tenant_id and e.id = d.event_id
    left join svc_webhooks.endpoints ep on ep.tenant_id = d.tenant_id and ep.id = d.endpoint_id
    where d.tenant_id = ${tenantId} and d.id = ${deliveryId}::uuid`.execute(db);
  return rows[0];
}

export interface Claim extends Key {
  readonly turn: number;
  readonly token: string;
  readonly leaseMs: number;
  readonly now: Date;
}

/** Takes a delivery and writes down that a try begins, in one statement; the number of the try, or undefined when somebody else was first. */
export async function claimDelivery(db: Db, claim: Claim): Promise<number | undefined> {
  const { tenantId, deliveryId, turn, token, leaseMs, now } = claim;
  const { rows } = await sql<{ number: number }>`
    with claimed as (
      update svc_webhooks.deliveries
      set attempts = attempts + 1, has_slot = false, lease_token = ${token}::uuid,
        lease_until = clock_timestamp() + ${leaseMs}::float8 * interval '1 ms'
      where tenant_id = ${tenantId} and id = ${deliveryId}::uuid and status = 'pending' and turn = ${turn}::int
        and (lease_until is null or lease_until <= clock_timestamp())
      returning tenant_id, id, endpoint_id, attempts
    ), lost as (
      update svc_webhooks.attempts a set outcome = 'lost'
      from claimed where a.tenant_id = claimed.tenant_id and a.delivery_id = claimed.id and a.outcome = 'sending'
    )
    insert into svc_webhooks.attempts (tenant_id, delivery_id, number, endpoint_id, outcome, started_at)
    select tenant_id, id, attempts, endpoint_id, 'sending', ${now}::timestamptz from claimed
    returning number`.execute(db);
  return rows[0]?.number;
}

/** Makes those of one key of one endpoint take turns until the transaction ends. */
export async function lockLine(trx: Trx, line: Line): Promise<void> {
  const name = JSON.stringify([line.tenantId, line.endpointId, line.orderKey]);
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 7746))`.execute(trx);
}

export interface Line {
  readonly tenantId: string;
  readonly endpointId: string;
  readonly orderKey: string;
}

/** The first that waits in a line. The line is locked. */
export async function headOfLine(
  trx: Trx,
  { tenantId, endpointId, orderKey }: Line,
): Promise<{ id: string; turn: number } | undefined> {
  const { rows } = await sql<{ id: string; turn: number }>`
    select id, turn from svc_webhooks.deliveries
    where tenant_id = ${tenantId} and endpoint_id = ${endpointId}::uuid and order_key = ${orderKey}
      and status = 'pending'
    order by position limit 1`.execute(trx);
  return rows[0];
}

export interface Ended extends Key {
  readonly number: number;
  readonly token: string;
  readonly outcome: 'succeeded' | 'failed';
  readonly status: number | null;
  readonly error: string | null;
  readonly response: string | null;
  readonly durationMs: number;
  readonly now: Date;
  readonly to: 'delivered' | 'failed' | 'held' | 'pending';
  /** When it is tried again, if `to` is pending. */
  readonly retryAt: Date | null;
}

/**
 * Writes down how a try ended, in one statement. The delivery changes only if nobody else has taken it since, and what
 * was held or cancelled meanwhile stays so, unless it has arrived.
 */
export async function endAttempt(
  db: Db,
  ended: Ended,
): Promise<{ status: DeliveryStatus; turn: number } | undefined> {
  const { tenantId, deliveryId, number, token, outcome, now, to, retryAt } = ended;
  const { rows } = await sql<{ status: DeliveryStatus; turn: number }>`
    with written as (
      update svc_webhooks.attempts
      set outcome = ${outcome}, status = ${ended.status}::int, error = ${ended.error}, response = ${ended.response},
        duration_ms = ${ended.durationMs}::int
      where tenant_id = ${tenantId} and delivery_id = ${deliveryId}::uuid and number = ${number}::int
    )
    update svc_webhooks.deliveries
    set status = case when ${to}::text = 'delivered' or status = 'pending' then ${to}::text else status end,
      step = step + ${outcome === 'failed' ? 1 : 0}::int,
      turn = turn + 1,
      next_attempt_at = ${retryAt}::timestamptz,
      finished_at = case when ${to}::text in ('delivered', 'failed') then ${now}::timestamptz else finished_at end,
      lease_until = null, lease_token = null
    where tenant_id = ${tenantId} and id = ${deliveryId}::uuid and lease_token = ${token}::uuid
    returning status, turn`.execute(db);
  return rows[0];
}

/** The next moment that the rate of an endpoint leaves free, taken for one try: a second's worth may go at once. */
export async function takeSlot(
  db: Db,
  of: { tenantId: string; endpointId: string; ratePerMinute: number; now: Date },
): Promise<Date> {
  const intervalMs = 60_000 / of.ratePerMinute;
  const burstMs = Math.max(0, 1000 - intervalMs);
  const { rows } = await sql<{ slot: Date }>`
    update svc_webhooks.endpoints
    set next_slot_at = greatest(coalesce(next_slot_at, '-infinity'), ${of.now}::timestamptz - ${burstMs}::float8 * interval '1 ms')
      + ${intervalMs}::float8 * interval '1 ms'
    where tenant_id = ${of.tenantId} and id = ${of.endpointId}::uuid
    returning next_slot_at - ${intervalMs}::float8 * interval '1 ms' as slot`.execute(db);
  return rows[0]?.slot ?? of.now;
}
