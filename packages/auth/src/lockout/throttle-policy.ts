import { type Duration, toMs } from '@svc/core';
import type { ThrottleRow } from '../tables.ts';
import type { ThrottleKind } from './throttles.ts';

/** How one counter reacts to wrong passwords. */
export interface CounterOptions {
  /** Failures that bring no wait; the next one does. */
  free?: number;
  /** The first wait; each further failure doubles it. @default 30s */
  firstWait?: Duration;
  /** The longest wait. @default 15m */
  maxWait?: Duration;
  /** After how long without a failure and without a lock the count begins anew. @default 24h */
  forgetAfter?: Duration;
}

export interface LockoutOptions {
  /** Of one account, over all clients. @default free 10 */
  account?: CounterOptions | false;
  /** Of one client address, over all accounts; of IPv6 the /64. @default free 50, forgotten after 1h */
  address?: CounterOptions | false;
  /** Of one account from one client address. @default free 5 */
  pair?: CounterOptions | false;
  /** For every counter that says nothing else. @default 30s */
  firstWait?: Duration;
  /** For every counter that says nothing else. @default 15m */
  maxWait?: Duration;
  /** For every counter that says nothing else, but that of addresses, which many people may share. @default 24h */
  forgetAfter?: Duration;
  /** What is said while locked: the same as for a wrong password, or `auth.locked` with `retryAfterSeconds`. @default same */
  answer?: 'same' | 'retry_after';
  /** Failures in a row after which an account needs a reset by mail; at most 100 (NIST SP 800-63B-4 3.2.2). @default 100 */
  cap?: number;
}

/** What one counter does, with every number filled in. */
export interface ThrottlePolicy {
  readonly free: number;
  readonly firstWaitMs: number;
  readonly maxWaitMs: number;
  readonly forgetAfterMs: number;
  /** After so many failures in a row no waiting helps any more. */
  readonly cap: number;
}

/** Counters that are switched off are missing. */
export type ThrottlePolicies = { readonly [Kind in ThrottleKind]?: ThrottlePolicy } & {
  readonly device: ThrottlePolicy;
};

export type LockoutAnswer = NonNullable<LockoutOptions['answer']>;

/** `LockoutOptions` with every default filled in. */
export interface Lockout {
  readonly policies: ThrottlePolicies;
  readonly answer: LockoutAnswer;
  /** What is told to wait where no waiting helps. */
  readonly maxWaitMs: number;
}

/** @throws {TypeError} when a number is out of its bounds. */
export function parseLockout(options: LockoutOptions | false): Lockout {
  const { account = {}, address = {}, pair = {}, ...given } = options || {};
  const { firstWait = '30s', maxWait = '15m', forgetAfter = '24h' } = given;
  const { cap = 100, answer = 'same' } = given;
  if (!Number.isInteger(cap) || cap < 1 || cap > 100)
    throw new TypeError('lockout.cap must be a whole number from 1 to 100');
  const every = { firstWait, maxWait, forgetAfter };
  const switched = {
    ...(account !== false && {
      account: parseCounter('account', { ...every, free: 10, ...account }, cap),
    }),
    ...(pair !== false && {
      pair: parseCounter('pair', { ...every, free: 5, ...pair }, Infinity),
    }),
    ...(address !== false && {
      address: parseCounter(
        'address',
        { ...every, forgetAfter: '1h', free: 50, ...address },
        Infinity,
      ),
    }),
  };
  const policies: ThrottlePolicies = {
    ...(options !== false && switched),
    // Never off: whoever guesses codes knows the password, and whoever guesses with a device cookie is past the others.
    device: parseCounter('device', { ...every, free: 10 }, cap),
    second_factor: parseCounter('second_factor', { ...every, free: 5 }, cap),
  };
  return { policies, answer, maxWaitMs: (policies.account ?? policies.device).maxWaitMs };
}

function parseCounter(
  name: string,
  { free, firstWait, maxWait, forgetAfter }: Required<CounterOptions>,
  cap: number,
): ThrottlePolicy {
  const [firstWaitMs, maxWaitMs, forgetAfterMs] = [firstWait, maxWait, forgetAfter].map(toMs) as [
    number,
    number,
    number,
  ];
  if (!Number.isInteger(free) || free < 1 || free > 1000)
    throw new TypeError(`lockout.${name}.free must be a whole number from 1 to 1000`);
  if (firstWaitMs <= 0 || firstWaitMs > maxWaitMs)
    throw new TypeError(`lockout.${name}.firstWait must be more than nothing, at most maxWait`);
  if (forgetAfterMs <= 0)
    throw new TypeError(`lockout.${name}.forgetAfter must be more than nothing`);
  return { free, firstWaitMs, maxWaitMs, forgetAfterMs, cap };
}

export type ThrottleState = Omit<ThrottleRow, 'key'>;

/** How long a failure that is the n-th locks: nothing while they are free, then doubling up to the longest wait. */
export function waitMs(failures: number, policy: ThrottlePolicy): number {
  const { free, firstWaitMs, maxWaitMs } = policy;
  return failures <= free ? 0 : Math.min(maxWaitMs, firstWaitMs * 2 ** (failures - free - 1));
}

// A cap must outlast quiet days, or nine guesses a day would never meet it; and end once nobody can care.
const keepCountMs = 365 * 24 * 60 * 60_000;

/** A counter after one more failure. A lock that has begun is not prolonged by it. */
export function afterFailure(
  state: ThrottleState,
  policy: ThrottlePolicy,
  now: Date,
): ThrottleState {
  const quietSince = Math.max(state.last_failed_at.getTime(), state.locked_until?.getTime() ?? 0);
  const isForgotten = now.getTime() - quietSince >= policy.forgetAfterMs;
  const failures = (isForgotten ? 0 : state.failures) + 1;
  const wait = waitMs(failures, policy);
  const lockedUntil = isLocked(state, now)
    ? state.locked_until
    : wait > 0
      ? new Date(now.getTime() + wait)
      : null;
  const quietFrom = lockedUntil?.getTime() ?? now.getTime();
  const keepMs = policy.cap === Infinity ? policy.forgetAfterMs : keepCountMs;
  return {
    failures,
    consecutive: state.consecutive + 1,
    last_failed_at: now,
    locked_until: lockedUntil,
    forget_at: new Date(quietFrom + keepMs),
  };
}

export function isLocked({ locked_until: until }: ThrottleState, now: Date): boolean {
  return until !== null && until > now;
}
