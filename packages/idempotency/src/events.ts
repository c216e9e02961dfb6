import { defineEvent } from '@svc/core';

/** A request was executed; `kept` says whether a repeat gets its answer. */
export const executed = defineEvent<{ status: number; kept: boolean; durationMs: number }>(
  'svc.idempotency.executed',
);

/** A repeat got the answer of the first; `waitedMs` is how long it waited for that to end. */
export const replayed = defineEvent<{ status: number; waitedMs: number }>(
  'svc.idempotency.replayed',
);

/** A repeat was refused, with the failure's code. */
export const refused = defineEvent<{ code: string }>('svc.idempotency.refused');

/** An execution ended after another had taken its key over; its answer was thrown away. */
export const leaseLost = defineEvent<{ durationMs: number }>('svc.idempotency.lease_lost');

/** A request was executed and its answer given, but the store did not take it: a repeat would be executed. */
export const notStored = defineEvent<{ status: number }>('svc.idempotency.not_stored');
