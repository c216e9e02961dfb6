import { isFailure, type RandomBytes, randomBytes } from '@svc/core';
import { CircuitOpen, TooManyCalls } from './failures.ts';
import { isFault } from './fault.ts';

export interface RetryOptions {
  /** How often it is tried in all. @default 3 */
  attempts?: number;
  /** The longest wait before the second try, in milliseconds; it doubles from then on. @default 100 */
  baseMs?: number;
  /** The longest wait of all, in milliseconds. @default 5000 */
  maxMs?: number;
  /** The longest wait that a `Retry-After` can ask for, in milliseconds. @default 30000 */
  maxRetryAfterMs?: number;
  /** How many retries there may be for each call, over all calls: what an outage adds to the load. @default 0.1 */
  budget?: number;
  /** Whether an error may be gone the next time. @default as of `BreakerOptions.isFault` */
  isRetryable?: (error: unknown) => boolean;
  /** @default randomBytes */
  randomBytes?: RandomBytes;
}

/** The milliseconds until the next try, between 0 and a bound that doubles ("full jitter", Brooker 2015). */
export function backoffMs(attempt: number, baseMs: number, maxMs: number, share: number): number {
  return Math.floor(share * Math.min(maxMs, baseMs * 2 ** (attempt - 1)));
}

/** The seconds a `Retry-After` asks for (RFC 9110 section 10.2.3: a number or a date); undefined where it cannot be read. */
export function parseRetryAfter(value: string | null, now: Date): number | undefined {
  if (value === null) return undefined;
  if (/^\d{1,10}$/.test(value)) return Number(value);
  // Date.parse takes far more than the one form that is valid.
  if (!/^\w{3}, \d{2} \w{3} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value)) return undefined;
  const atMs = Date.parse(value);
  return Number.isNaN(atMs) ? undefined : Math.max(0, Math.ceil((atMs - now.getTime()) / 1000));
}

/** How many retries may be saved up, so that a few faults on a quiet service are retried as well. */
const mostSaved = 10;

/** Decides on retries for all calls of one policy, which share the budget. */
export function createRetries({
  attempts = 3,
  baseMs = 100,
  maxMs = 5000,
  maxRetryAfterMs = 30_000,
  budget = 0.1,
  isRetryable = isFault,
  randomBytes: bytes = randomBytes,
}: RetryOptions) {
  let saved = budget > 0 ? mostSaved : 0;
  const share = () => Buffer.from(bytes(4)).readUInt32BE() / 2 ** 32;

  return {
    /** Counts a call: it pays for a part of a retry. */
    called() {
      saved = Math.min(mostSaved, saved + budget);
    },
    /** Milliseconds to wait before the next try; undefined when there is none. */
    delayAfter(error: unknown, attempt: number): number | undefined {
      // Both mean that calling less is what helps.
      if (isFailure(error, CircuitOpen) || isFailure(error, TooManyCalls)) return undefined;
      if (attempt >= attempts || saved < 1 || !isRetryable(error)) return undefined;
      saved -= 1;
      const asked = isFailure(error) ? (error.details.retryAfterSeconds ?? 0) : 0;
      const jittered = backoffMs(attempt, baseMs, maxMs, share());
      // Not before the time that was asked for, and not all of them right at it.
      return Math.min(maxRetryAfterMs, asked * 1000) + jittered;
    },
  };
}
