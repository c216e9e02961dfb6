import { afterCommit, transact, type Trx } from '@svc/db';
import { sql } from 'kysely';
import type * as v from 'valibot';
import type { WebhooksContext, WriteOptions } from './context.ts';
import { type EventType, filtersOf, keyOf, parsePayload, toBody } from './event-type.ts';
import { published } from './events.ts';
import { tablesOf } from './tables.ts';

export interface EventInput<Data> {
  tenantId: string;
  /** The payload. */
  data: Data;
  /** Endpoints that want order get events with one key one after the other, such as those of one project. @default '' */
  orderKey?: string | undefined;
}

export interface Published {
  /** The `webhook-id`. */
  readonly id: string;
  /** To how many endpoints it goes. */
  readonly deliveries: number;
}

/** Tells a tenant's endpoints of an event: it and its deliveries are written, and their jobs queued, in the caller's transaction. @throws {PayloadTooLarge} @throws {TypeError} on a payload that does not fit */
export type Publish = <Type extends EventType>(
  type: Type,
  input: EventInput<v.InferInput<Type['payload']>>,
  options?: WriteOptions,
) => Promise<Published>;

export function createPublish(context: WebhooksContext): Publish {
  const { name, db, clock, eventTypes, maxPayloadBytes } = context;
  return async (eventType, { tenantId, data, orderKey = '' }, { within } = {}) => {
    if (eventTypes.get(keyOf(eventType)) !== eventType)
      throw new TypeError(`${keyOf(eventType)} is not among the event types of createWebhooks`);
    const { type, version } = eventType;
    const payload = parsePayload(eventType, data);
    const body = toBody({ type, version, timestamp: clock.now(), data: payload }, maxPayloadBytes);
    return transact(within ?? db, async (trx) => {
      const endpoints = await listeningEndpoints(trx, tenantId, type);
      if (endpoints.length === 0) return { id: context.newId(), deliveries: 0 };
      const eventId = await insertEvent(context, trx, { tenantId, type, version, body });
      const of = { tenantId, eventId, type, orderKey, endpoints, isTest: false };
      await insertDeliveries(context, trx, of);
      const deliveries = endpoints.length;
      afterCommit(trx, () => published.publish(name, { tenantId, eventId, type, deliveries }));
      return { id: eventId, deliveries };
    });
  };
}

interface Listening {
  readonly id: string;
  readonly is_ordered: boolean;
}

/** Also those that are failing: what they miss is held for them. */
async function listeningEndpoints(trx: Trx, tenantId: string, type: string): Promise<Listening[]> {
  return tablesOf(trx)
    .selectFrom('svc_webhooks.endpoints')
    .select(['id', 'is_ordered'])
    .where('tenant_id', '=', tenantId)
    .where('status', 'in', ['enabled', 'failing'])
    .where(sql<boolean>`event_types && ${filtersOf(type)}::text[]`)
    .execute();
}

export async function insertEvent(
  { newId, clock }: WebhooksContext,
  trx: Trx,
  event: { tenantId: string; type: string; version: number; body: string },
): Promise<string> {
  const id = newId();
  const { tenantId, ...rest } = event;
  await tablesOf(trx)
    .insertInto('svc_webhooks.events')
    .values({ ...rest, tenant_id: tenantId, id, created_at: clock.now() })
    .execute();
  return id;
}

interface FanOut {
  readonly tenantId: string;
  readonly eventId: string;
  readonly type: string;
  readonly orderKey: string;
  readonly endpoints: readonly Listening[];
  readonly isTest: boolean;
}

/** A delivery to each endpoint, and a job for each; the ids. */
export async function insertDeliveries(
  { newId, clock, queue }: WebhooksContext,
  trx: Trx,
  { tenantId, eventId, type, orderKey, endpoints, isTest }: FanOut,
): Promise<string[]> {
  const ids = endpoints.map(() => newId());
  const endpointIds = endpoints.map(({ id }) => id);
  const orderKeys = endpoints.map(({ is_ordered }) => (is_ordered ? orderKey : null));
  // One statement of one shape however many there are.
  await sql`
    insert into svc_webhooks.deliveries
      (tenant_id, id, event_id, event_type, endpoint_id, order_key, status, is_test, created_at)
    select ${tenantId}, one.id, ${eventId}::uuid, ${type}, one.endpoint_id, one.order_key, 'pending', ${isTest}::boolean,
      ${clock.now()}::timestamptz
    from unnest(${ids}::uuid[], ${endpointIds}::uuid[], ${orderKeys}::text[]) as one (id, endpoint_id, order_key)`.execute(
    trx,
  );
  const jobs = ids.map((deliveryId) => ({
    payload: { tenantId, deliveryId, turn: 1 },
    group: tenantId,
  }));
  await queue(jobs, trx);
  return ids;
}
