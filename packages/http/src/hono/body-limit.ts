import { type Clock, systemClock } from '@svc/core';
import type { MiddlewareHandler } from 'hono';
import { discardRest } from '../discard-rest.ts';
import { limitBody, tooLarge } from '../limited-body.ts';

export interface BodyLimitOptions {
  /** The most bytes a body may have. */
  maxBytes: number;
  /** How long the client may be waited for in all, in milliseconds. Shorter than the handler's limit, or that answers first. @default 15000 */
  readTimeoutMs?: number;
  /** How long it may send nothing, in milliseconds. @default 5000 */
  idleTimeoutMs?: number;
  /** @default systemClock */
  clock?: Clock;
}

/**
 * Refuses a body over the limit before reading it where its length is declared, else at the byte that is
 * too many, and one that comes too slowly. Buffers nothing. The handler's own reading of the body fails with
 * the same failure, and whatever the handler makes of that, the client gets the refusal.
 *
 * @throws {BodyTooLarge} 413
 * @throws {BodyTimeout} 408
 * @throws {BodyIncomplete} 400
 */
export function bodyLimit({
  maxBytes,
  readTimeoutMs = 15_000,
  idleTimeoutMs = 5000,
  clock = systemClock,
}: BodyLimitOptions): MiddlewareHandler {
  return async (c, next) => {
    const request = c.req.raw;
    const body = bodyOf(request);
    if (body === null) return next();
    if (Number(request.headers.get('content-length') ?? 0) > maxBytes) {
      void discardRest(body.getReader(), clock);
      throw tooLarge(maxBytes);
    }
    const limited = limitBody(body, { maxBytes, readTimeoutMs, idleTimeoutMs }, clock);
    c.req.raw = new Request(request, { body: limited.stream, duplex: 'half' });
    await next();
    limited.discardUnread();
    // What a validator made of the broken body (400 for JSON that ends early) is not the reason it broke.
    if (limited.refusal !== undefined) throw limited.refusal;
  };
}

// On Node, `body` builds the whole Request, which a GET without one should not pay for.
const bodyOf = (request: Request): ReadableStream<Uint8Array> | null => {
  const bodyless = request.method === 'GET' || request.method === 'HEAD';
  if (
    bodyless &&
    !request.headers.has('content-length') &&
    !request.headers.has('transfer-encoding')
  )
    return null;
  return request.body;
};
