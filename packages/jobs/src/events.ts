import { defineEvent } from '@svc/core';

interface JobRef {
  readonly id: string;
  readonly task: string;
}
interface AttemptRef extends JobRef {
  readonly attempt: number;
  readonly group: string | null;
  readonly tenantId: string | null;
  readonly traceparent: string | null;
}

/** Jobs were stored; within a transaction, before its commit. */
export const enqueued = defineEvent<{ task: string; ids: readonly string[]; duplicates: number }>(
  'svc.jobs.enqueued',
);

/** An attempt began. */
export const started = defineEvent<AttemptRef & { waitedMs: number }>('svc.jobs.started');

/** An attempt succeeded. */
export const completed = defineEvent<AttemptRef & { ranMs: number }>('svc.jobs.completed');

/** An attempt did not succeed; `retried` or `dead` follows. */
export const failed = defineEvent<AttemptRef & { ranMs: number; message: string }>(
  'svc.jobs.failed',
);

/** The next attempt is due in so long. */
export const retried = defineEvent<AttemptRef & { delayMs: number }>('svc.jobs.retried');

/** A job was given up: it is in the dead letters. */
export const dead = defineEvent<JobRef & { attempt: number; message: string }>('svc.jobs.dead');

/** A running job ended because somebody asked for it, or one that waited was removed. */
export const cancelled = defineEvent<JobRef>('svc.jobs.cancelled');

/** A lease was over before its job had an outcome. `found` by the worker that takes it back, `noticed` by the one that had it. */
export const lost = defineEvent<JobRef & { by: 'found' | 'noticed' }>('svc.jobs.lost');

/** An outcome came too late and was refused: the job belongs to another attempt by now. */
export const refused = defineEvent<JobRef & { outcome: string }>('svc.jobs.refused');

/** A worker handed a job back, without counting the attempt. */
export const returned = defineEvent<JobRef>('svc.jobs.returned');

/** The store does not answer a worker. */
export const storeDown = defineEvent<{ reason: string }>('svc.jobs.store_down');

/** The store answers the worker again. */
export const storeUp = defineEvent<{ downForMs: number }>('svc.jobs.store_up');

/** A tick was enqueued, so late. */
export const ticked = defineEvent<{ schedule: string; task: string; tickAt: Date; lateMs: number }>(
  'svc.jobs.ticked',
);

/** A tick could not be enqueued; it is tried again. */
export const tickFailed = defineEvent<{ schedule: string; task: string; tickAt: Date }>(
  'svc.jobs.tick_failed',
);
