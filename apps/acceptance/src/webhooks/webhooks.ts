import { type Cipher, type Clock, type Logger, toMs } from '@svc/core';
import type { Db } from '@svc/db';
import { createGuardedFetch, dnsResolver, type OutboundContext, type Stoppable } from '@svc/http';
import {
  type AppendAudit,
  createWebhooks,
  type Enqueue,
  type EnqueueMany,
  type Notify,
  type Webhooks,
} from '@svc/webhooks';
import type { AppSettings } from '../settings.ts';
import { eventTypes } from './event-types.ts';

interface TenantWebhooksNeeds {
  readonly settings: AppSettings;
  readonly db: Db;
  readonly cipher: Cipher;
  readonly audit: AppendAudit;
  readonly notify: Notify;
  readonly enqueue: Enqueue;
  readonly enqueueMany: EnqueueMany;
  /** What a delivery says of the trace that it is part of. */
  readonly callContext: () => OutboundContext;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** What tells tenants' endpoints of events, and what of it is to be stopped. */
export function createTenantWebhooks({
  settings,
  clock,
  callContext,
  ...needs
}: TenantWebhooksNeeds): Readonly<{ webhooks: Webhooks; opened: Stoppable }> {
  const { webhooksAllow, webhooksPorts, acceptanceDnsServer } = settings;
  const guarded = createGuardedFetch({
    allow: webhooksAllow,
    ports: webhooksPorts,
    ...(acceptanceDnsServer !== undefined && {
      resolver: dnsResolver({ servers: [acceptanceDnsServer] }),
      // A scenario changes what a name stands for between one try and the next.
      addressCacheMs: 0,
    }),
    // The log keeps the beginning of an answer.
    maxResponseBytes: 65_536,
    cutResponse: true,
    userAgent: 'Projects',
    name: 'webhooks',
    context: callContext,
    clock,
  });
  const webhooks = createWebhooks({
    ...needs,
    fetch: guarded.fetch,
    checkUrl: (url) => void guarded.checkUrl(url),
    // Of those that are allowed; the guard refuses every other.
    allowHttp: webhooksAllow.some((origin) => origin.startsWith('http:')),
    events: Object.values(eventTypes),
    timeout: settings.webhooksTimeout,
    // Each event is a delivery for each of them, and one that hangs has no more than these.
    maxEndpoints: 50,
    maxInFlight: 3,
    lease: `${2 * toMs(settings.webhooksTimeout)}ms`,
    retrySchedule: settings.webhooksRetryWaits,
    clock,
  });
  return {
    webhooks,
    opened: { name: 'connections to webhook endpoints', stop: () => guarded.stop() },
  };
}
