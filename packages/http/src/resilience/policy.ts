import { type Clock, systemClock } from '@svc/core';
import { createDeadlines } from '../deadlines.ts';
import { callRetried } from '../events.ts';
import type { Breaker, Permit } from './breaker.ts';
import type { Bulkhead } from './bulkhead.ts';
import { CallTimeout } from './failures.ts';
import { createRetries, type RetryOptions } from './retry.ts';

/** One try of a call. */
export interface Attempt {
  /** From 1. */
  readonly number: number;
  /** Aborted when the time is over or the caller gives up; made when it is read first. */
  readonly signal: AbortSignal;
}

export interface PolicyOptions {
  /** What is called, for events. */
  name: string;
  /** How long one try may take, in milliseconds. @default no limit */
  timeoutMs?: number;
  /** @default no retry */
  retry?: RetryOptions;
  /** @default none */
  breaker?: Breaker;
  /** @default none */
  bulkhead?: Bulkhead;
  /** @default systemClock */
  clock?: Clock;
}

export interface RunOptions {
  /** The caller's: nothing goes on after it is aborted. */
  signal?: AbortSignal | undefined;
  /** Whether doing it twice is as good as doing it once. @default true */
  idempotent?: boolean;
}

/** Retry around breaker around bulkhead around time limit. */
export interface Policy {
  /** @throws {CircuitOpen | TooManyCalls | CallTimeout} or what the last try threw. */
  run<T>(task: (attempt: Attempt) => Promise<T>, options?: RunOptions): Promise<T>;
}

/** Makes a policy; each part is optional, and calls that share a policy share its retry budget. */
export function createPolicy({
  name,
  timeoutMs,
  retry,
  breaker,
  bulkhead,
  clock = systemClock,
}: PolicyOptions): Policy {
  const retries = retry === undefined ? undefined : createRetries(retry);
  const deadlines = timeoutMs === undefined ? undefined : createDeadlines(clock, timeoutMs);

  const limited = <T>(
    task: (attempt: Attempt) => Promise<T>,
    number: number,
    signal?: AbortSignal,
  ) =>
    new Promise<T>((resolve, reject) => {
      // An abort of before is not heard by a listener.
      if (signal?.aborted === true) return reject(signal.reason);
      const attempt = createAttempt(number);
      const end = (error: unknown) => {
        attempt.abort(error);
        reject(error);
      };
      const cancel = deadlines?.start(() => end(new CallTimeout()));
      const aborted = () => end(signal?.reason);
      signal?.addEventListener('abort', aborted, { once: true });
      const settled = () => {
        cancel?.();
        signal?.removeEventListener('abort', aborted);
      };
      const failed = (error: unknown) => {
        settled();
        reject(error);
      };
      try {
        task(attempt).then((value) => {
          settled();
          resolve(value);
        }, failed);
      } catch (error) {
        failed(error);
      }
    });

  const attemptOnce = async <T>(
    task: (attempt: Attempt) => Promise<T>,
    number: number,
    signal?: AbortSignal,
  ) => {
    const permit = breaker?.admit();
    const leave = bulkhead?.tryEnter() ?? (await enter(bulkhead, permit, signal));
    try {
      const result = await limited(task, number, signal);
      permit?.succeeded();
      return result;
    } catch (error) {
      // Who gave up says nothing about what was called.
      if (signal?.aborted === true) permit?.released();
      else permit?.failed(error);
      throw error;
    } finally {
      leave?.();
    }
  };

  return {
    async run(task, { signal, idempotent = true } = {}) {
      signal?.throwIfAborted();
      retries?.called();
      for (let number = 1; ; number += 1) {
        try {
          return await attemptOnce(task, number, signal);
        } catch (error) {
          if (!idempotent || signal?.aborted === true) throw error;
          const delayMs = retries?.delayAfter(error, number);
          if (delayMs === undefined) throw error;
          callRetried.publish(name, { attempt: number + 1, delayMs });
          await clock.sleep(delayMs, signal);
        }
      }
    },
  };
}

async function enter(bulkhead?: Bulkhead, permit?: Permit, signal?: AbortSignal) {
  try {
    return await bulkhead?.enter(signal);
  } catch (error) {
    permit?.released();
    throw error;
  }
}

// An AbortController costs more than the rest of a policy; many tasks never look at the signal.
function createAttempt(number: number): Attempt & { abort(reason: unknown): void } {
  let controller: AbortController | undefined;
  let ended: { reason: unknown } | undefined;
  return {
    number,
    get signal() {
      controller ??= new AbortController();
      if (ended !== undefined) controller.abort(ended.reason);
      return controller.signal;
    },
    abort(reason) {
      ended = { reason };
      controller?.abort(reason);
    },
  };
}
