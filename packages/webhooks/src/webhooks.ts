import {
  type Cipher,
  type Clock,
  type Duration,
  type Logger,
  type NewId,
  randomBytes,
  type RandomBytes,
  silentLogger,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import type { Db, Trx } from '@svc/db';
import type { ActingFor, AppendAudit } from './acts.ts';
import type { CheckUrl, WebhooksContext } from './context.ts';
import { createDeliver, type Deliver } from './deliver.ts';
import { createDeliveries, type Deliveries } from './deliveries.ts';
import { createEndpoints, type Endpoints } from './endpoints.ts';
import { type EventType, eventTypesByKey } from './event-type.ts';
import type { Notify } from './health.ts';
import { createPublish, type Publish } from './publish.ts';
import { purge, type Purged } from './purge.ts';
import { createQueue, type Enqueue, type EnqueueMany } from './queue.ts';
import { retryScheduleMs } from './schedule.ts';
import { stopTenant } from './stop-tenant.ts';

/** Tells tenants' endpoints of events. */
export interface Webhooks {
  readonly eventTypes: readonly EventType[];
  readonly publish: Publish;
  /** What the app's queue runs for the task `webhooks.deliver`. */
  readonly deliver: Deliver;
  /** The endpoints and deliveries of a tenant, for somebody who may; the caller has checked that. */
  forTenant(tenantId: string, acting: Omit<ActingFor, 'tenantId'>): TenantWebhooks;
  /** Sends nothing more to a tenant that goes: its endpoints are off, what waits is cancelled. The rows stay, for whoever deletes them. */
  stopTenant(tenantId: string, options?: { within?: Trx | undefined }): Promise<void>;
  /** Deletes deliveries that are over, their log and their events, once older than `keepFor`. To be called once a day or so. */
  purge(): Promise<Purged>;
}

export interface TenantWebhooks {
  readonly endpoints: Endpoints;
  readonly deliveries: Deliveries;
}

export interface WebhooksOptions {
  db: Db;
  /** Queues a job in the caller's transaction, to be run by `deliver`. */
  enqueue: Enqueue;
  /** The same for many at once. @default one after the other with `enqueue` */
  enqueueMany?: EnqueueMany;
  /** Calls the outside, and so must refuse addresses inside; `createGuardedFetch` of `@svc/http`. */
  fetch: typeof globalThis.fetch;
  /** Encrypts secrets and custom headers. */
  cipher: Cipher;
  /** Every event there is. */
  events: readonly EventType[];
  /** Refuses, by throwing, the URL of an endpoint that `fetch` would refuse too. @default none is refused before it is called */
  checkUrl?: CheckUrl;
  /** Whether endpoints may be `http`. @default false */
  allowHttp?: boolean;
  /** Tells owners that an endpoint fails. @default nobody is told */
  notify?: Notify;
  /** Appends to the audit log in the transaction of every act; `append` of `@svc/audit` fits. @default nothing is audited */
  audit?: AppendAudit;
  /** How long one try may take. @default 15s */
  timeout?: Duration;
  /** How long a try is left alone before it counts as lost; more than `timeout`. @default timeout and 15s */
  lease?: Duration;
  /** The waits before each try after the first. @default those of Standard Webhooks: 10 tries in 75 hours */
  retrySchedule?: readonly Duration[];
  /** How many tries to one endpoint may be under way in one process. @default 10 */
  maxInFlight?: number;
  /**
   * When an endpoint whose tries all fail is warned about and disabled: after so long, and with failures in that many
   * hours of the clock. Then one delivery tries, at waits that double, whether it is back.
   *
   * @default warnAfter 48h, disableAfter 120h, minHours 12, probeAfter 1h, maxProbes 10
   */
  disabling?: {
    warnAfter?: Duration;
    disableAfter?: Duration;
    minHours?: number;
    probeAfter?: Duration;
    maxProbes?: number;
  };
  /** How long nothing is sent to an endpoint that answers 429, 502 or 504 or hangs; doubles up to 15m. @default 1m */
  slowDown?: Duration;
  /** @default 256 kB */
  maxPayloadBytes?: number;
  /** Of a tenant. @default 1000 */
  maxEndpoints?: number;
  /** Adds `X-Signature`, the hexadecimal HMAC-SHA256 of the body with the whole text of the secret. @default false */
  bodySignature?: boolean;
  /** How long what is over is kept. @default 30d */
  keepFor?: Duration;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
  /** @default randomBytes */
  random?: RandomBytes;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'webhooks' */
  name?: string;
}

/** @throws {TypeError} when an option is not usable. */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  const context = toContext(options);
  const { clock } = context;
  const keepMs = toMs(options.keepFor ?? '30d');
  return {
    eventTypes: [...context.eventTypes.values()],
    publish: createPublish(context),
    deliver: createDeliver(context),
    forTenant(tenantId, acting) {
      if (tenantId === '') throw new TypeError('a tenant has an id');
      const of = { ...acting, tenantId };
      return { endpoints: createEndpoints(context, of), deliveries: createDeliveries(context, of) };
    },
    stopTenant: (tenantId, { within } = {}) => stopTenant(context, tenantId, within),
    purge: () => purge(context, new Date(clock.now().getTime() - keepMs)),
  };
}

function toContext({
  db,
  enqueue,
  enqueueMany,
  fetch,
  cipher,
  events,
  checkUrl,
  allowHttp = false,
  notify,
  audit,
  timeout = '15s',
  lease,
  retrySchedule,
  maxInFlight = 10,
  disabling = {},
  slowDown = '1m',
  maxPayloadBytes = 256 * 1024,
  maxEndpoints = 1000,
  bodySignature = false,
  clock = systemClock,
  newId = uuidv7,
  random = randomBytes,
  logger = silentLogger,
  name = 'webhooks',
}: WebhooksOptions): WebhooksContext {
  const timeoutMs = toMs(timeout);
  const leaseMs = lease === undefined ? timeoutMs + 15_000 : toMs(lease);
  if (timeoutMs <= 0 || leaseMs <= timeoutMs)
    throw new TypeError('lease must be more than timeout, and timeout more than nothing');
  for (const [option, value] of Object.entries({ maxInFlight, maxPayloadBytes, maxEndpoints }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new TypeError(`${option} must be a whole number, 1 or more`);
  return {
    name,
    db,
    queue: createQueue(enqueue, enqueueMany),
    fetch,
    checkUrl,
    allowHttp,
    cipher,
    eventTypes: eventTypesByKey(events),
    audit,
    notify,
    health: {
      warnAfterMs: toMs(disabling.warnAfter ?? '48h'),
      disableAfterMs: toMs(disabling.disableAfter ?? '120h'),
      minHours: disabling.minHours ?? 12,
      probeAfterMs: toMs(disabling.probeAfter ?? '1h'),
      maxProbes: disabling.maxProbes ?? 10,
      slowDownMs: toMs(slowDown),
    },
    retryScheduleMs: retrySchedule?.map(toMs) ?? retryScheduleMs,
    timeoutMs,
    leaseMs,
    maxInFlight,
    maxPayloadBytes,
    maxEndpoints,
    hasBodySignature: bodySignature,
    clock,
    newId,
    random,
    logger,
  };
}
