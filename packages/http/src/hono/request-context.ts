import { type Clock, type Logger, type NewId, silentLogger, systemClock, uuidv7 } from '@svc/core';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import { changeHeaders } from './change-headers.ts';

/** What every handler finds in its context. */
export interface HttpEnv {
  Variables: {
    requestId: string;
    /** Adds the request id to every line. */
    logger: Logger;
    clientAddress: string;
    /** Aborted when the client leaves or the handler's time is over. */
    signal: AbortSignal;
  };
}

export interface RequestContextOptions {
  /** Where the client is, seen through the proxies that are trusted. */
  clientAddress: (c: Context) => string;
  /** @default silentLogger */
  logger?: Logger;
  /** Makes an id for a request that brings none. @default uuidv7 */
  newId?: NewId;
  /** Patterns of routes, such as `/readyz`, whose good answers leave no line. @default [] */
  quietRoutes?: readonly string[];
  /** Measures how long an answer took. @default systemClock */
  clock?: Clock;
}

/** A request id from outside goes into headers and logs, so it is taken only in this shape. */
const safeRequestId = /^[A-Za-z0-9._-]{8,128}$/;

/**
 * Gives every request an id (that of `X-Request-Id` where it is safe), sends it back on every answer,
 * and logs one line per request. Must be the first middleware.
 */
export function requestContext({
  clientAddress,
  logger = silentLogger,
  newId = uuidv7,
  quietRoutes = [],
  clock = systemClock,
}: RequestContextOptions): MiddlewareHandler<HttpEnv> {
  const quiet = new Set<string | null>(quietRoutes);
  return async function requestContext(c, next) {
    const startedAtMs = clock.elapsedMs();
    const given = c.req.header('X-Request-Id');
    const requestId = given !== undefined && safeRequestId.test(given) ? given : newId();
    const log = logger.child({ requestId });
    c.set('requestId', requestId);
    c.set('logger', log);
    c.set('signal', c.req.raw.signal);
    // Set before anything can fail, so that an error in here carries it too.
    c.header('X-Request-Id', requestId);
    const address = clientAddress(c);
    c.set('clientAddress', address);
    try {
      await next();
    } catch (thrown) {
      // Hono hands only errors to the error handler and would let anything else escape the app.
      throw new Error('Something that is not an error was thrown.', { cause: thrown });
    } finally {
      changeHeaders(c, (headers) => headers.set('X-Request-Id', requestId));
    }
    // The pattern of the route instead of the path, which may hold a secret of a client.
    const fields = {
      method: c.req.method,
      route: matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? null,
      status: c.res.status,
      durationMs: Math.round((clock.elapsedMs() - startedAtMs) * 10) / 10,
      clientAddress: address,
    };
    if (c.res.status < 400 && quiet.has(fields.route)) return;
    if (c.res.status >= 500) log.warn(fields, 'request');
    else log.info(fields, 'request');
  };
}
