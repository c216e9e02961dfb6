import { type Clock, type Logger, type NewId, silentLogger, systemClock, uuidv7 } from '@svc/core';
import { createMiddleware } from 'hono/factory';
import type { ClientAddress } from '../client-address.ts';
import { remoteAddress } from './remote-address.ts';

/** What every handler finds in its context. */
export type HttpEnv = {
  Variables: {
    requestId: string;
    /** Adds the request id to each line. */
    logger: Logger;
    clientAddress: string;
    /** Aborted when the client leaves or the time limit passes; hand it to whatever waits. */
    signal: AbortSignal;
  };
};

export interface RequestContextOptions {
  clientAddress: ClientAddress;
  /** @default silentLogger */
  logger?: Logger;
  /** @default uuidv7 */
  newId?: NewId;
  /** @default systemClock */
  clock?: Clock;
}

// Long enough to be unique, and nothing that means something to a log reader or a shell.
const safeId = /^[A-Za-z0-9._-]{8,128}$/;

/** Gives the request its id (the client's `X-Request-Id` where it is safe), its logger and the client's address, and logs the answer. First of all. */
export function requestContext({ clientAddress, logger = silentLogger, newId = uuidv7, clock = systemClock }: RequestContextOptions) {
  return createMiddleware<HttpEnv>(async function requestContext(c, next) {
    const given = c.req.header('x-request-id');
    const requestId = given !== undefined && safeId.test(given) ? given : newId();
    const startedMs = clock.elapsedMs();
    const requestLogger = logger.child({ requestId });
    c.set('requestId', requestId);
    c.set('logger', requestLogger);
    c.set('signal', c.req.raw.signal);
    c.set('clientAddress', clientAddress(remoteAddress(c), c.req.header('x-forwarded-for')));
    // Before the handlers, so that an answer they send as it is carries it, too.
    c.header('x-request-id', requestId);
    await next();
    c.res.headers.set('x-request-id', requestId);
    requestLogger.info(
      // The path without its query, which may hold a token.
      { method: c.req.method, path: c.req.path, status: c.res.status, ms: Math.round(clock.elapsedMs() - startedMs) },
      'request',
    );
  });
}
