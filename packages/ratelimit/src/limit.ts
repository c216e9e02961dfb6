import { type Duration, toMs } from '@svc/core';

/** How a limit counts. What each promises is in the README; `sliding_window` is the one that holds in every window. */
export type Algorithm = 'gcra' | 'sliding_window' | 'fixed_window';

/** What happens to a limit while its store cannot be asked: let through, refuse, or count in this process alone. */
export type WhenUnavailable = 'open' | 'closed' | 'local';

/** A limit on how often something may happen. Whose it is comes with each check. */
export interface Limit {
  /** What headers, events and problems call it: lower-case letters, digits, `.`, `_`, `-`; at most 64. Limits of one name share their count. */
  readonly name: string;
  readonly algorithm: Algorithm;
  /** How much may pass in a window, a whole number. */
  readonly quota: number;
  /** Whole milliseconds, at most 366 days. */
  readonly window: Duration;
  /** Of `gcra`: how much may pass at once. In any span of t no more passes than burst + quota × t / window. @default quota */
  readonly burst?: number;
  /** Counts and reports, and refuses nothing. @default false */
  readonly shadow?: boolean;
  /** @default that of `createRateLimit` */
  readonly whenUnavailable?: WhenUnavailable;
}

/** A limit in the numbers that are computed with. */
export interface Policy {
  readonly name: string;
  readonly algorithm: Algorithm;
  readonly quota: number;
  readonly windowMs: number;
  /** The most that can pass at once: nothing may cost more. */
  readonly capacity: number;
  readonly shadow: boolean;
  readonly whenUnavailable: WhenUnavailable | undefined;
}

/** Checks a limit where it is written. @throws {TypeError} when it is none */
export function defineLimit<const L extends Limit>(limit: L): L {
  toPolicy(limit);
  return Object.freeze({ ...limit });
}

const longestWindowMs = 366 * 86_400_000;
const mostQuota = 1_000_000_000;

/** @throws {TypeError} when it is no limit. */
export function toPolicy(limit: Limit): Policy {
  const { name, algorithm, quota, burst, shadow = false, whenUnavailable } = limit;
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/.test(name))
    throw new TypeError('the name of a limit has 1 to 64 of a-z, 0-9, ".", "_" and "-"');
  const refuse = (what: string): never => {
    throw new TypeError(`limit ${name}: ${what}`);
  };
  if (!['gcra', 'sliding_window', 'fixed_window'].includes(algorithm))
    refuse('algorithm is gcra, sliding_window or fixed_window');
  if (!isCount(quota)) refuse('quota is a whole number from 1 to 1,000,000,000');
  const windowMs = toMs(limit.window);
  if (!Number.isInteger(windowMs) || windowMs < 1 || windowMs > longestWindowMs)
    refuse('window is whole milliseconds, from 1ms to 366d');
  if (burst !== undefined && algorithm !== 'gcra') refuse('only gcra has a burst');
  if (burst !== undefined && !isCount(burst))
    refuse('burst is a whole number from 1 to 1,000,000,000');
  if (![undefined, 'open', 'closed', 'local'].includes(whenUnavailable))
    refuse('whenUnavailable is open, closed or local');
  const capacity = burst ?? quota;
  // Kept as whole units of 1/windowMs of a call, which must stay exact in a double.
  if (algorithm === 'gcra' && capacity * windowMs > Number.MAX_SAFE_INTEGER)
    refuse('burst × window in milliseconds must be below 2^53');
  return { name, algorithm, quota, windowMs, capacity, shadow, whenUnavailable };
}

const isCount = (value: number) => Number.isInteger(value) && value >= 1 && value <= mostQuota;
