import { defineEvent } from '@svc/core';

// Channels are API by their name: what reads them needs none of the packages that publish. Named here are the fields that
// are read; a test compares them with what the packages declare.

interface Attempt {
  readonly task: string;
  readonly ranMs: number;
}

export const connectionAcquired = defineEvent<{ waitedMs: number }>('svc.db.connection_acquired');
export const connectionFailed = defineEvent<{ reason: string }>('svc.db.connection_failed');
export const connectionLost = defineEvent<{ open: number }>('svc.db.connection_lost');

export const jobs = {
  enqueued: defineEvent<{ task: string; ids: readonly string[] }>('svc.jobs.enqueued'),
  started: defineEvent<{ task: string; waitedMs: number }>('svc.jobs.started'),
  completed: defineEvent<Attempt>('svc.jobs.completed'),
  failed: defineEvent<Attempt>('svc.jobs.failed'),
  retried: defineEvent<{ task: string }>('svc.jobs.retried'),
  dead: defineEvent<{ task: string }>('svc.jobs.dead'),
  cancelled: defineEvent<{ task: string }>('svc.jobs.cancelled'),
  lost: defineEvent<{ task: string; by: string }>('svc.jobs.lost'),
  returned: defineEvent<{ task: string }>('svc.jobs.returned'),
  storeDown: defineEvent<object>('svc.jobs.store_down'),
  storeUp: defineEvent<object>('svc.jobs.store_up'),
  ticked: defineEvent<{ schedule: string; lateMs: number }>('svc.jobs.ticked'),
  tickFailed: defineEvent<{ schedule: string }>('svc.jobs.tick_failed'),
};

export const webhooks = {
  published: defineEvent<{ type: string; deliveries: number }>('svc.webhooks.published'),
  attempted: defineEvent<{ result: string; status: number | null; durationMs: number }>(
    'svc.webhooks.attempted',
  ),
  incoming: defineEvent<{ source: string; result: string }>('svc.webhooks.incoming'),
};

export const mail = {
  sent: defineEvent<{ template: string | null; transport: string; durationMs: number }>(
    'svc.mail.sent',
  ),
  failed: defineEvent<{ template: string | null; transport: string; code: string | null }>(
    'svc.mail.failed',
  ),
};

export const ratelimit = {
  exceeded: defineEvent<{ limits: readonly string[] }>('svc.ratelimit.exceeded'),
  shadowExceeded: defineEvent<{ limit: string }>('svc.ratelimit.shadow_exceeded'),
  storeDown: defineEvent<object>('svc.ratelimit.store_down'),
  storeUp: defineEvent<object>('svc.ratelimit.store_up'),
  abuseScored: defineEvent<{ signal: string }>('svc.ratelimit.abuse_scored'),
  blocked: defineEvent<{ reason: string }>('svc.ratelimit.blocked'),
};

export const auth = {
  acted: defineEvent<{ type: string; outcome: string }>('svc.auth.acted'),
};

export const tenancy = {
  acted: defineEvent<{ type: string; outcome: string }>('svc.tenancy.acted'),
  quotaExceeded: defineEvent<{ quota: string }>('svc.tenancy.quota_exceeded'),
};

export const audit = {
  sealed: defineEvent<{ entries: number }>('svc.audit.sealed'),
  sealingFailed: defineEvent<{ step: string }>('svc.audit.sealing_failed'),
};

export const idempotency = {
  executed: defineEvent<object>('svc.idempotency.executed'),
  replayed: defineEvent<object>('svc.idempotency.replayed'),
  refused: defineEvent<{ code: string }>('svc.idempotency.refused'),
  leaseLost: defineEvent<object>('svc.idempotency.lease_lost'),
};
