import { transact, type Trx } from '@svc/db';
import { fraction, type WebhooksContext } from './context.ts';
import { attempted } from './events.ts';
import { recordFailure, recordSuccess, type Verdict } from './health.ts';
import { toOutgoing } from './outgoing.ts';
import {
  claimDelivery,
  endAttempt,
  findDelivery,
  type FoundDelivery,
  headOfLine,
  lockLine,
  takeSlot,
} from './queries.ts';
import type { DeliverPayload } from './queue.ts';
import { nextRetryMs } from './schedule.ts';
import { type Answer, send } from './send.ts';
import { tablesOf } from './tables.ts';

/**
 * What became of a job: `stale` had nothing to do, `deferred` was queued for later without a try, `waiting` stands in
 * line and is queued by whoever is before it, `held` waits for the endpoint to be on.
 */
export type DeliverResult =
  | 'delivered'
  | 'retrying'
  | 'failed'
  | 'held'
  | 'cancelled'
  | 'deferred'
  | 'waiting'
  | 'stale';

/** Runs one job of `webhooks.deliver`. Safe to run again at any point: a try is written down before it is made. */
export type Deliver = (
  payload: DeliverPayload,
  options?: {
    /** Aborted when the worker must stop: then the try counts for nothing and this rejects with its reason. */
    signal?: AbortSignal | undefined;
  },
) => Promise<DeliverResult>;

export function createDeliver(context: WebhooksContext): Deliver {
  // Of this process, by endpoint: one that hangs must not have every slot of the worker.
  const inFlight = new Map<string, number>();
  return async ({ tenantId, deliveryId, turn }, { signal } = {}) => {
    const found = await findDelivery(context.db, {
      tenantId,
      deliveryId,
      now: context.clock.now(),
    });
    if (found === undefined || found.status !== 'pending' || found.turn !== turn) return 'stale';
    const other = await insteadOfTrying(context, found, inFlight.get(found.endpoint_id) ?? 0);
    if (other !== undefined) return other;
    inFlight.set(found.endpoint_id, (inFlight.get(found.endpoint_id) ?? 0) + 1);
    try {
      return await attempt(context, found, signal);
    } finally {
      const left = (inFlight.get(found.endpoint_id) ?? 1) - 1;
      if (left > 0) inFlight.set(found.endpoint_id, left);
      else inFlight.delete(found.endpoint_id);
    }
  };
}

async function insteadOfTrying(
  context: WebhooksContext,
  found: FoundDelivery,
  underWay: number,
): Promise<DeliverResult | undefined> {
  const now = context.clock.now();
  const later = (ms: number) => defer(context, found, new Date(now.getTime() + ms));
  // Its process may be dead: whoever comes after the lease finds out.
  if ((found.lease_left_ms ?? 0) > 0) return later(Math.ceil(found.lease_left_ms ?? 0));
  if (found.endpoint_status === null || found.body === null) return cancel(context, found);
  const isProbe = found.endpoint_status === 'failing' && found.probe_delivery_id === found.id;
  if (found.endpoint_status !== 'enabled' && !isProbe) return hold(context, found);
  const isTest = isProbe || found.is_test;
  if (found.next_attempt_at !== null && found.next_attempt_at > now)
    return defer(context, found, found.next_attempt_at);
  if (found.slow_until !== null && found.slow_until > now && !isTest)
    return later(found.slow_until.getTime() - now.getTime() + fraction(context) * 10_000);
  if (underWay >= context.maxInFlight) return later(250 + fraction(context) * 1000);
  if (found.rate_per_minute === null || found.has_slot || isTest) return undefined;
  return waitForSlot(context, found, found.rate_per_minute);
}

/** The rate gives each try a moment of its own, so that those who wait come one by one. */
async function waitForSlot(
  context: WebhooksContext,
  found: FoundDelivery,
  ratePerMinute: number,
): Promise<DeliverResult | undefined> {
  const { tenant_id: tenantId, endpoint_id: endpointId } = found;
  const now = context.clock.now();
  return transact(context.db, async (trx) => {
    const slot = await takeSlot(trx, { tenantId, endpointId, ratePerMinute, now });
    if (slot <= now) return undefined;
    await tablesOf(trx)
      .updateTable('svc_webhooks.deliveries')
      .set({ has_slot: true, next_attempt_at: slot })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', found.id)
      .where('turn', '=', found.turn)
      .execute();
    await queueAgain(context, trx, found, slot);
    return 'deferred';
  });
}

async function attempt(
  context: WebhooksContext,
  found: FoundDelivery,
  signal: AbortSignal | undefined,
): Promise<DeliverResult> {
  const { clock, leaseMs, newId } = context;
  const { tenant_id: tenantId, id: deliveryId, turn } = found;
  const token = newId();
  const claim = { tenantId, deliveryId, turn, token, leaseMs, now: clock.now() };
  const number =
    found.order_key === null
      ? await claimDelivery(context.db, claim)
      : await transact(context.db, async (trx) => {
          await lockLine(trx, lineOf(found));
          const head = await headOfLine(trx, lineOf(found));
          return head?.id === deliveryId ? claimDelivery(trx, claim) : 'waiting';
        });
  if (number === 'waiting') return 'waiting';
  // Somebody took it since it was read: whoever comes after their lease sees what became of it.
  if (number === undefined) return defer(context, found, new Date(clock.now().getTime() + leaseMs));
  let answer: Answer;
  try {
    answer = await send(context, toOutgoing(context, found), signal);
  } catch (error) {
    await giveBack(context, found, { number, token });
    throw error;
  }
  return settle(context, found, { number, token, answer });
}

interface Tried {
  readonly number: number;
  readonly token: string;
  readonly answer: Answer;
}

async function settle(
  context: WebhooksContext,
  found: FoundDelivery,
  tried: Tried,
): Promise<DeliverResult> {
  const { status, durationMs } = tried.answer;
  const isSuccess = status !== null && status >= 200 && status <= 299;
  const result = isSuccess
    ? await succeeded(context, found, tried)
    : await failed(context, found, tried);
  const { tenant_id: tenantId, endpoint_id: endpointId, id: deliveryId } = found;
  if (result !== 'stale' && result !== 'cancelled')
    attempted.publish(context.name, {
      tenantId,
      endpointId,
      deliveryId,
      attempt: tried.number,
      result,
      status,
      durationMs,
    });
  return result;
}

const endOf = ({ clock }: WebhooksContext, found: FoundDelivery, { answer, ...tried }: Tried) => {
  const { retryAfterMs: _, ...rest } = answer;
  return { ...rest, ...tried, tenantId: found.tenant_id, deliveryId: found.id, now: clock.now() };
};

type Settled = 'delivered' | 'retrying' | 'failed' | 'held' | 'cancelled' | 'stale';

async function succeeded(
  context: WebhooksContext,
  found: FoundDelivery,
  tried: Tried,
): Promise<Settled> {
  const end = {
    ...endOf(context, found, tried),
    outcome: 'succeeded',
    to: 'delivered',
    retryAt: null,
  } as const;
  const isHealthy = found.failing_since === null && found.slow_until === null;
  // The common case is one statement.
  if (isHealthy && found.order_key === null && found.endpoint_status === 'enabled') {
    return (await endAttempt(context.db, end)) === undefined ? 'stale' : 'delivered';
  }
  return transact(context.db, async (trx) => {
    if (found.order_key !== null) await lockLine(trx, lineOf(found));
    if (!isHealthy || found.endpoint_status !== 'enabled')
      await recordSuccess(context, trx, {
        tenantId: found.tenant_id,
        endpointId: found.endpoint_id,
      });
    const ended = await endAttempt(trx, end);
    await queueNextInLine(context, trx, found);
    return ended === undefined ? 'stale' : 'delivered';
  });
}

async function failed(
  context: WebhooksContext,
  found: FoundDelivery,
  tried: Tried,
): Promise<Settled> {
  const { status, error, retryAfterMs } = tried.answer;
  const isOverloaded = [429, 502, 504].includes(status ?? 0) || error === 'timeout';
  const { tenant_id: tenantId, id: deliveryId, endpoint_id: endpointId } = found;
  return transact(context.db, async (trx) => {
    if (found.order_key !== null) await lockLine(trx, lineOf(found));
    const failure = { tenantId, endpointId, deliveryId, status, isOverloaded, retryAfterMs };
    const verdict = await recordFailure(context, trx, failure);
    const retryAt = retryAtOf(context, found, tried.answer, verdict);
    const to =
      retryAt !== null ? 'pending' : verdict.isOff === true && status !== 410 ? 'held' : 'failed';
    const ended = await endAttempt(trx, {
      ...endOf(context, found, tried),
      outcome: 'failed',
      to,
      retryAt,
    });
    if (ended?.status === 'pending' && retryAt !== null)
      await queueAgain(context, trx, { ...found, turn: ended.turn }, retryAt);
    else await queueNextInLine(context, trx, found);
    return resultOf(ended?.status);
  });
}

function resultOf(status: string | undefined): Settled {
  if (status === undefined) return 'stale';
  if (status === 'pending') return 'retrying';
  return status as 'failed' | 'held' | 'cancelled';
}

function retryAtOf(
  context: WebhooksContext,
  found: FoundDelivery,
  { status, retryAfterMs }: Answer,
  { probeAt, isOff = false }: Verdict,
): Date | null {
  if (probeAt !== undefined) return probeAt;
  // A test says at once how it is.
  if (isOff || status === 410 || found.is_test) return null;
  const failures = found.step + 1;
  const random = fraction(context);
  const waitMs = nextRetryMs(context.retryScheduleMs, { failures, random, retryAfterMs });
  return waitMs === undefined ? null : new Date(context.clock.now().getTime() + waitMs);
}

const lineOf = ({ tenant_id, endpoint_id, order_key }: FoundDelivery) => ({
  tenantId: tenant_id,
  endpointId: endpoint_id,
  orderKey: order_key ?? '',
});

/** The line is locked, so that nobody joins it unseen. */
async function queueNextInLine(
  context: WebhooksContext,
  trx: Trx,
  found: FoundDelivery,
): Promise<void> {
  if (found.order_key === null) return;
  const head = await headOfLine(trx, lineOf(found));
  if (head === undefined || head.id === found.id) return;
  const payload = { tenantId: found.tenant_id, deliveryId: head.id, turn: head.turn };
  await context.queue([{ payload, group: found.tenant_id }], trx);
}

type ToQueue = Pick<FoundDelivery, 'tenant_id' | 'id' | 'turn'>;

function queueAgain(
  { queue }: WebhooksContext,
  trx: Trx,
  { tenant_id: tenantId, id: deliveryId, turn }: ToQueue,
  runAt: Date,
): Promise<void> {
  return queue([{ payload: { tenantId, deliveryId, turn }, runAt, group: tenantId }], trx);
}

/** Not at once: the queue may go by a clock that is ahead of ours, and would bring it back in a circle. */
async function defer(context: WebhooksContext, found: ToQueue, at: Date): Promise<'deferred'> {
  const soonest = context.clock.now().getTime() + 250;
  const runAt = new Date(Math.max(at.getTime(), soonest));
  await transact(context.db, (trx) => queueAgain(context, trx, found, runAt));
  return 'deferred';
}

/** Its endpoint was deleted, and with it those before it in its line. */
async function cancel({ db, clock }: WebhooksContext, found: FoundDelivery): Promise<'cancelled'> {
  await tablesOf(db)
    .updateTable('svc_webhooks.deliveries')
    .set({ status: 'cancelled', finished_at: clock.now() })
    .where('tenant_id', '=', found.tenant_id)
    .where('id', '=', found.id)
    .where('status', '=', 'pending')
    .execute();
  return 'cancelled';
}

/** The endpoint's row is locked, so that it is not enabled at the same moment without seeing this one. */
function hold(context: WebhooksContext, found: FoundDelivery): Promise<DeliverResult> {
  return transact(context.db, async (trx) => {
    const endpoint = await tablesOf(trx)
      .selectFrom('svc_webhooks.endpoints')
      .select(['status', 'probe_delivery_id'])
      .where('tenant_id', '=', found.tenant_id)
      .where('id', '=', found.endpoint_id)
      .forShare()
      .executeTakeFirst();
    const isOn = endpoint === undefined || endpoint.status === 'enabled';
    if (isOn || endpoint.probe_delivery_id === found.id) {
      await queueAgain(context, trx, found, context.clock.now());
      return 'deferred';
    }
    await tablesOf(trx)
      .updateTable('svc_webhooks.deliveries')
      .set({ status: 'held' })
      .where('tenant_id', '=', found.tenant_id)
      .where('id', '=', found.id)
      .where('status', '=', 'pending')
      .execute();
    return 'held';
  });
}

/** The worker stops: the try is over without a result, and the job is run again elsewhere. */
async function giveBack(
  { db }: WebhooksContext,
  found: FoundDelivery,
  { number, token }: Pick<Tried, 'number' | 'token'>,
): Promise<void> {
  await tablesOf(db)
    .updateTable('svc_webhooks.attempts')
    .set({ outcome: 'lost' })
    .where('tenant_id', '=', found.tenant_id)
    .where('delivery_id', '=', found.id)
    .where('number', '=', number)
    .execute();
  await tablesOf(db)
    .updateTable('svc_webhooks.deliveries')
    .set({ lease_until: null, lease_token: null })
    .where('tenant_id', '=', found.tenant_id)
    .where('id', '=', found.id)
    .where('lease_token', '=', token)
    .execute();
}
