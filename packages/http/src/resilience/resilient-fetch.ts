import { type Clock, failure, isFailure, systemClock } from '@svc/core';
import type { Policy } from './policy.ts';
import { parseRetryAfter } from './retry.ts';

/** What a `fetch` here has to be able to do; the global one and that of `createGuardedFetch` fit. */
export type FetchUrl = (url: string, init?: RequestInit) => Promise<Response>;

/** An answer that is a fault, on its way through a policy. */
class FaultyAnswer extends failure('http.faulty_answer', 'unavailable', 'A service is ill.') {
  readonly response: Response;
  constructor(response: Response, retryAfterSeconds: number | undefined) {
    super(retryAfterSeconds === undefined ? {} : { retryAfterSeconds });
    this.response = response;
  }
}

/** RFC 9110 section 9.2.2. */
const idempotentMethods = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

export interface ResilientFetchOptions {
  policy: Policy;
  /** Whether a request may be sent twice. @default the idempotent methods, and what carries an Idempotency-Key */
  isIdempotent?: (url: string, init: RequestInit) => boolean;
  /** @default systemClock */
  clock?: Clock;
}

/**
 * A `fetch` that goes through a policy. An answer of 429 or 5xx counts as a fault: it is tried again where that is
 * harmless, after the time that its `Retry-After` asks for, and the last one is returned as it is.
 */
export function resilientFetch(
  fetch: FetchUrl,
  { policy, isIdempotent = isHarmlessTwice, clock = systemClock }: ResilientFetchOptions,
): FetchUrl {
  return async (url, init = {}) => {
    const callerSignal = init.signal ?? undefined;
    try {
      return await policy.run(
        async ({ signal }) => {
          const response = await fetch(url, { ...init, signal });
          if (response.status !== 429 && response.status < 500) return response;
          const retryAfter = parseRetryAfter(response.headers.get('retry-after'), clock.now());
          throw new FaultyAnswer(response, retryAfter);
        },
        { signal: callerSignal, idempotent: isIdempotent(url, init) },
      );
    } catch (error) {
      if (isFailure(error, FaultyAnswer)) return (error as FaultyAnswer).response;
      throw error;
    }
  };
}

function isHarmlessTwice(_url: string, init: RequestInit): boolean {
  // A stream is used up by the first try.
  if (init.body instanceof ReadableStream) return false;
  const method = (init.method ?? 'GET').toUpperCase();
  return idempotentMethods.has(method) || new Headers(init.headers).has('idempotency-key');
}
