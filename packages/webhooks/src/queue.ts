import type { Trx } from '@svc/db';

/** The name of the one task. */
export const deliverTask = 'webhooks.deliver';

/** What a job says: which delivery. A job whose turn is over does nothing. */
export interface DeliverPayload {
  readonly tenantId: string;
  readonly deliveryId: string;
  readonly turn: number;
}

export interface QueuedDelivery {
  readonly payload: DeliverPayload;
  /** Not earlier. @default at once */
  readonly runAt?: Date;
  /** The tenant: so that a queue that is fair between groups is fair between tenants, however many endpoints one has. */
  readonly group: string;
}

/** Queues one job in the caller's transaction, to be run at least once after its commit; `enqueue` of `@svc/jobs` fits. */
export type Enqueue = (
  task: typeof deliverTask,
  payload: DeliverPayload,
  options: { within: Trx; runAt?: Date; group: string },
) => Promise<unknown>;

/** The same for many, in as few statements as the queue can. */
export type EnqueueMany = (
  task: typeof deliverTask,
  jobs: readonly QueuedDelivery[],
  options: { within: Trx },
) => Promise<unknown>;

export type QueueDeliveries = (jobs: readonly QueuedDelivery[], trx: Trx) => Promise<void>;

export function createQueue(enqueue: Enqueue, enqueueMany?: EnqueueMany): QueueDeliveries {
  return async (jobs, trx) => {
    if (enqueueMany !== undefined && jobs.length > 1) {
      await enqueueMany(deliverTask, jobs, { within: trx });
      return;
    }
    for (const { payload, ...options } of jobs)
      await enqueue(deliverTask, payload, { ...options, within: trx });
  };
}
