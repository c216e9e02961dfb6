import { isUuid } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { type RawBuilder, type Selectable, sql } from 'kysely';
import { type ActingFor, record } from './acts.ts';
import type { WebhooksContext, WriteOptions } from './context.ts';
import { DeliveryNotFound, DeliveryPending, EndpointDisabled } from './failures.ts';
import { replayedPerSecond } from './held.ts';
import { type AttemptOutcome, type DeliveryRow, type DeliveryStatus, tablesOf } from './tables.ts';

/** An event on its way to an endpoint. */
export interface Delivery {
  readonly id: string;
  /** The `webhook-id`. */
  readonly eventId: string;
  readonly eventType: string;
  readonly endpointId: string;
  readonly status: DeliveryStatus;
  readonly isTest: boolean;
  readonly attempts: number;
  /** Not earlier than this is it tried again. */
  readonly nextAttemptAt: Date | null;
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
}

/** One try of a delivery. */
export interface Attempt {
  readonly number: number;
  readonly outcome: AttemptOutcome;
  readonly startedAt: Date;
  readonly durationMs: number | null;
  /** Of the answer; null where there was none. */
  readonly status: number | null;
  /** Why there was none: a code. */
  readonly error: string | null;
  /** The beginning of the answer, redacted. */
  readonly response: string | null;
}

export interface DeliveryFilter {
  endpointId?: string | undefined;
  eventId?: string | undefined;
  eventType?: string | undefined;
  status?: DeliveryStatus | undefined;
  /** Published at or after. */
  since?: Date | undefined;
  /** Published before. */
  until?: Date | undefined;
}

export interface DeliveryStats {
  /** How many deliveries are in each state. */
  readonly deliveries: Readonly<Record<DeliveryStatus, number>>;
  /** How many tries succeeded, failed, and were lost. */
  readonly attempts: { readonly succeeded: number; readonly failed: number; readonly lost: number };
  /** Of tries that succeeded, in milliseconds; null where none did. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

/** The deliveries of one tenant. */
export interface Deliveries {
  /** The newest first, from below the id `before`. */
  list(
    filter?: DeliveryFilter & { limit?: number; before?: string | undefined },
  ): Promise<readonly Delivery[]>;
  /** With what was sent and every try. @throws {DeliveryNotFound} */
  get(id: string): Promise<Delivery & { body: string; tries: readonly Attempt[] }>;
  /** Sends it again under the same id, whatever became of it. @throws {DeliveryNotFound} @throws {DeliveryPending} @throws {EndpointDisabled} */
  replay(id: string, options?: WriteOptions): Promise<Delivery>;
  /** Sends all again that a filter finds and that are over, the oldest first, 10 a second; at most 10 000 at once. `hasMore` says whether some are left: they were published at or after `until`. */
  replayAll(
    filter: DeliveryFilter,
    options?: WriteOptions,
  ): Promise<{ replayed: number; hasMore: boolean }>;
  /** Counts of what was published since then. @default the last day */
  stats(query?: {
    endpointId?: string | undefined;
    since?: Date | undefined;
  }): Promise<DeliveryStats>;
}

const replayedAtOnce = 10_000;
const dayMs = 24 * 60 * 60_000;

export function createDeliveries(context: WebhooksContext, acting: ActingFor): Deliveries {
  const { db, clock } = context;
  const { tenantId } = acting;
  const find = (trx: Trx | WebhooksContext['db'], id: string) =>
    isUuid(id)
      ? tablesOf(trx)
          .selectFrom('svc_webhooks.deliveries')
          .selectAll()
          .where('tenant_id', '=', tenantId)
          .where('id', '=', id)
          .executeTakeFirst()
      : Promise.resolve(undefined);
  return {
    async list({ limit = 50, before, ...filter } = {}) {
      const rows = await tablesOf(db)
        .selectFrom('svc_webhooks.deliveries')
        .selectAll()
        .where(matching(tenantId, filter))
        .$if(before !== undefined, (query) => query.where('id', '<', before as string))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toDelivery);
    },
    async get(id) {
      const row = await find(db, id);
      if (row === undefined) throw new DeliveryNotFound();
      const { body } = await tablesOf(db)
        .selectFrom('svc_webhooks.events')
        .select('body')
        .where('tenant_id', '=', tenantId)
        .where('id', '=', row.event_id)
        .executeTakeFirstOrThrow();
      return { ...toDelivery(row), body, tries: await triesOf(context, tenantId, row.id) };
    },
    replay: (id, { within } = {}) =>
      transact(within ?? db, async (trx) => {
        const row = await find(trx, id);
        if (row === undefined) throw new DeliveryNotFound();
        if (row.status === 'pending') throw new DeliveryPending();
        const { replayed } = await replayAll(
          context,
          trx,
          sql`tenant_id = ${tenantId} and id = ${row.id}::uuid`,
          tenantId,
        );
        if (replayed === 0) throw new EndpointDisabled();
        const target = { type: 'webhook_delivery', id: row.id } as const;
        await record(context, trx, acting, {
          type: 'webhooks.deliveries.replayed',
          target,
          details: { count: 1 },
        });
        const found = await find(trx, id);
        if (found === undefined) throw new DeliveryNotFound();
        return toDelivery(found);
      }),
    replayAll: (filter, { within } = {}) =>
      transact(within ?? db, async (trx) => {
        const result = await replayAll(context, trx, matching(tenantId, filter), tenantId);
        const target = { type: 'webhook_endpoint', id: filter.endpointId ?? '*' } as const;
        const details = { count: result.replayed };
        await record(context, trx, acting, {
          type: 'webhooks.deliveries.replayed',
          target,
          details,
        });
        return result;
      }),
    stats: ({ endpointId, since = new Date(clock.now().getTime() - dayMs) } = {}) =>
      statsOf(context, { tenantId, endpointId, since }),
  };
}

function matching(tenantId: string, filter: DeliveryFilter) {
  const { endpointId, eventId, eventType, status, since, until } = filter;
  const conditions = [
    sql<boolean>`tenant_id = ${tenantId}`,
    ...(endpointId === undefined ? [] : [sql<boolean>`endpoint_id = ${endpointId}::uuid`]),
    ...(eventId === undefined ? [] : [sql<boolean>`event_id = ${eventId}::uuid`]),
    ...(eventType === undefined ? [] : [sql<boolean>`event_type = ${eventType}`]),
    ...(status === undefined ? [] : [sql<boolean>`status = ${status}`]),
    ...(since === undefined ? [] : [sql<boolean>`created_at >= ${since}::timestamptz`]),
    ...(until === undefined ? [] : [sql<boolean>`created_at < ${until}::timestamptz`]),
  ];
  return sql<boolean>`${sql.join(conditions, sql` and `)}`;
}

/** What is under way is left alone, and what an endpoint that is off would not take. A replay is outside of the order. */
async function replayAll(
  { clock, queue }: WebhooksContext,
  trx: Trx,
  condition: RawBuilder<unknown>,
  tenantId: string,
): Promise<{ replayed: number; hasMore: boolean }> {
  const now = clock.now();
  const { rows } = await sql<{ id: string; turn: number; next_attempt_at: Date }>`
    update svc_webhooks.deliveries d
    set status = 'pending', turn = d.turn + 1, step = 0, has_slot = false, order_key = null, finished_at = null,
      next_attempt_at = ${now}::timestamptz + found.place * ${1000 / replayedPerSecond}::float8 * interval '1 ms'
    from (
      select id, row_number() over (order by position) - 1 as place
      from (
        select id, position from svc_webhooks.deliveries
        where ${condition} and status <> 'pending' and exists (
          select from svc_webhooks.endpoints ep where ep.tenant_id = deliveries.tenant_id
            and ep.id = deliveries.endpoint_id and ep.status = 'enabled'
        )
        order by position limit ${replayedAtOnce}::int
        for update
      ) oldest
    ) found
    where d.tenant_id = ${tenantId} and d.id = found.id
    returning d.id, d.turn, d.next_attempt_at`.execute(trx);
  const jobs = rows.map(({ id, turn, next_attempt_at }) => ({
    payload: { tenantId, deliveryId: id, turn },
    runAt: next_attempt_at,
    group: tenantId,
  }));
  if (jobs.length > 0) await queue(jobs, trx);
  return { replayed: jobs.length, hasMore: jobs.length === replayedAtOnce };
}

async function triesOf(
  { db }: WebhooksContext,
  tenantId: string,
  deliveryId: string,
): Promise<Attempt[]> {
  const rows = await tablesOf(db)
    .selectFrom('svc_webhooks.attempts')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('delivery_id', '=', deliveryId)
    .orderBy('number')
    .execute();
  return rows.map(({ started_at, duration_ms, number, outcome, status, error, response }) => ({
    number,
    outcome,
    startedAt: started_at,
    durationMs: duration_ms,
    status,
    error,
    response,
  }));
}

async function statsOf(
  { db }: WebhooksContext,
  {
    tenantId,
    endpointId,
    since,
  }: { tenantId: string; endpointId?: string | undefined; since: Date },
): Promise<DeliveryStats> {
  const ofEndpoint = endpointId === undefined ? sql`` : sql`and endpoint_id = ${endpointId}::uuid`;
  const [{ rows: states }, { rows: tries }] = await Promise.all([
    sql<{ status: DeliveryStatus; count: bigint }>`
      select status, count(*) as count from svc_webhooks.deliveries
      where tenant_id = ${tenantId} and created_at >= ${since}::timestamptz ${ofEndpoint}
      group by status`.execute(db),
    sql<{
      succeeded: bigint;
      failed: bigint;
      lost: bigint;
      p50: number | null;
      p95: number | null;
    }>`
      select count(*) filter (where outcome = 'succeeded') as succeeded,
        count(*) filter (where outcome = 'failed') as failed, count(*) filter (where outcome = 'lost') as lost,
        percentile_cont(0.5) within group (order by duration_ms) filter (where outcome = 'succeeded') as p50,
        percentile_cont(0.95) within group (order by duration_ms) filter (where outcome = 'succeeded') as p95
      from svc_webhooks.attempts
      where tenant_id = ${tenantId} and started_at >= ${since}::timestamptz ${ofEndpoint}`.execute(
      db,
    ),
  ]);
  const count = (status: DeliveryStatus) =>
    Number(states.find((each) => each.status === status)?.count ?? 0);
  const [of] = tries;
  return {
    deliveries: {
      pending: count('pending'),
      delivered: count('delivered'),
      failed: count('failed'),
      held: count('held'),
      cancelled: count('cancelled'),
    },
    attempts: {
      succeeded: Number(of?.succeeded ?? 0),
      failed: Number(of?.failed ?? 0),
      lost: Number(of?.lost ?? 0),
    },
    p50Ms: of?.p50 ?? null,
    p95Ms: of?.p95 ?? null,
  };
}

const toDelivery = (row: Selectable<DeliveryRow>): Delivery => ({
  id: row.id,
  eventId: row.event_id,
  eventType: row.event_type,
  endpointId: row.endpoint_id,
  status: row.status,
  isTest: row.is_test,
  attempts: row.attempts,
  nextAttemptAt: row.status === 'pending' ? row.next_attempt_at : null,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
});
