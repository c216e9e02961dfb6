import type { MiddlewareHandler } from 'hono';
import type { Breaker } from '../resilience/breaker.ts';
import type { Bulkhead } from '../resilience/bulkhead.ts';

/**
 * Puts a circuit breaker around routes: they answer 503 at once while it is open. What a handler throws counts as
 * the breaker's `isFault` says; an answer of 500 and above that nobody threw counts, too.
 *
 * @throws {CircuitOpen}
 */
export function breakerGuard(breaker: Breaker): MiddlewareHandler {
  return async function breakerGuard(c, next) {
    const permit = breaker.admit();
    try {
      await next();
    } catch (error) {
      permit.failed(error);
      throw error;
    }
    // A client that left has aborted what it was waiting for.
    if (c.req.raw.signal.aborted) permit.released();
    else if (c.error !== undefined) permit.failed(c.error);
    else if (c.res.status >= 500) permit.failed(new Error(`answered ${c.res.status}`));
    else permit.succeeded();
  };
}

/** Lets so many requests at once into routes. @throws {TooManyCalls} */
export function bulkheadGuard(bulkhead: Bulkhead): MiddlewareHandler {
  return async function bulkheadGuard(c, next) {
    const leave = await bulkhead.enter(c.req.raw.signal);
    try {
      await next();
    } finally {
      leave();
    }
  };
}
