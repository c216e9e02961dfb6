import { defineEvent } from '@svc/core';

/** A check was refused. */
export const exceeded = defineEvent<{
  /** The names of the limits that were in the way. */
  limits: readonly string[];
  retryAfterMs: number;
  /** Whether the store was not asked, because it had refused already. */
  cached: boolean;
}>('svc.ratelimit.exceeded');

/** A limit in shadow mode would have refused. */
export const shadowExceeded = defineEvent<{ limit: string; retryAfterMs: number }>(
  'svc.ratelimit.shadow_exceeded',
);

/** The store does not answer: from now on each limit goes by its `whenUnavailable`. */
export const storeDown = defineEvent<{
  /** The name or code of the error, never its message. */
  reason: string;
}>('svc.ratelimit.store_down');

/** The store answers again. */
export const storeUp = defineEvent<{ downForMs: number }>('svc.ratelimit.store_up');

/** Something a caller did was counted against it. */
export const abuseScored = defineEvent<{
  caller: string;
  signal: string;
  points: number;
  score: number;
}>('svc.ratelimit.abuse_scored');

/** A caller is cut off. */
export const blocked = defineEvent<{
  caller: string;
  forMs: number;
  /** `score` when its score was too high, `manual` when somebody said so. */
  reason: 'score' | 'manual';
}>('svc.ratelimit.blocked');

/** Somebody let a caller in again; its score is forgotten. */
export const unblocked = defineEvent<{ caller: string }>('svc.ratelimit.unblocked');
