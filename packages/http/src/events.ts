import { defineEvent } from '@svc/core';
import type { OutboundContext } from './outbound/guarded-fetch.ts';
import type { MaintenanceEntry } from './maintenance/maintenance.ts';
import type { BreakerState } from './resilience/breaker.ts';

/** A circuit breaker changed its state. */
export const breakerChanged = defineEvent<{
  readonly from: BreakerState;
  readonly to: BreakerState;
}>('svc.http.breaker_changed');

/** A call to another service ended. */
export const callEnded = defineEvent<{
  readonly method: string;
  /** The name or address that was asked for; null where the URL could not be read. */
  readonly host: string | null;
  /** Of the answer; null where there was none. */
  readonly status: number | null;
  /** The code or the name of the error; null where there was an answer. */
  readonly error: string | null;
  readonly durationMs: number;
  /** Of the answer's body, after unpacking. */
  readonly responseBytes: number;
  /** What `context` gave for the call. */
  readonly context: OutboundContext | undefined;
}>('svc.http.call_ended');

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
