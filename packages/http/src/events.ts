import { defineEvent } from '@svc/core';
import type { MaintenanceEntry } from './maintenance/maintenance.ts';
import type { BreakerState } from './resilience/breaker.ts';

/** A circuit breaker changed its state. */
export const breakerChanged = defineEvent<{
  readonly from: BreakerState;
  readonly to: BreakerState;
}>('svc.http.breaker_changed');

/** A call is tried again. */
export const callRetried = defineEvent<{ readonly attempt: number; readonly delayMs: number }>(
  'svc.http.call_retried',
);

/** What is under maintenance changed, as this process sees it. */
export const maintenanceChanged = defineEvent<{ readonly entries: readonly MaintenanceEntry[] }>(
  'svc.http.maintenance_changed',
);

/** Requests begin or end to be shed. */
export const sheddingChanged = defineEvent<{ readonly level: number; readonly delayMs: number }>(
  'svc.http.shedding_changed',
);
