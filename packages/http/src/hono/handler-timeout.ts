import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import type { Context, MiddlewareHandler } from 'hono';
import { HandlerTimeout } from '../limit-failures.ts';

export interface HandlerTimeoutOptions {
  /** How long everything behind it may take to answer, in milliseconds. */
  ms: number;
  /** @default systemClock */
  clock?: Clock;
  /** @default the request's logger, where there is one */
  logger?: Logger;
}

/** What `handlerTimeout` puts into the context. */
export type SignalEnv = {
  Variables: {
    /** Aborted when the client leaves or the time limit passes; hand it to whatever waits. */
    signal: AbortSignal;
  };
};

/**
 * Answers 504 when the time is over and aborts `c.get('signal')`. What the handler still returns is
 * discarded; what it still throws is logged. A body that streams after the answer began is not limited.
 *
 * @throws {HandlerTimeout}
 */
export function handlerTimeout({
  ms,
  clock = systemClock,
  logger,
}: HandlerTimeoutOptions): MiddlewareHandler<SignalEnv> {
  return async (c, next) => {
    const work = new AbortController();
    followClient(c.req.raw.signal, work);
    c.set('signal', work.signal);
    const finished = new AbortController();
    const startedAtMs = clock.elapsedMs();
    const handled = next();
    const late = clock.sleep(ms, finished.signal).then(
      () => true,
      // Aborted below, once it has answered.
      () => false,
    );
    let isLate: boolean;
    try {
      isLate = await Promise.race([handled.then(() => false), late]);
    } finally {
      finished.abort('answered');
    }
    if (!isLate) return;

    const timeout = new HandlerTimeout();
    work.abort(timeout);
    void logOutcome(c, handled, timeout, {
      logger: logger ?? loggerOf(c),
      elapsedMs: () => clock.elapsedMs() - startedAtMs,
    });
    throw timeout;
  };
}

function followClient(client: AbortSignal, work: AbortController) {
  const leave = () => work.abort(client.reason);
  if (client.aborted) leave();
  // Not removed when the answer begins: a body may still stream. It goes with the request.
  else client.addEventListener('abort', leave, { once: true });
}

async function logOutcome(
  c: Context,
  handled: Promise<void>,
  timeout: HandlerTimeout,
  { logger, elapsedMs }: { logger: Logger; elapsedMs: () => number },
) {
  const thrown = await handled.then(
    // Hono has caught what a handler throws, and keeps it here.
    () => c.error,
    (error: unknown) => error,
  );
  if (thrown === undefined || thrown === timeout) {
    logger.warn({ elapsedMs: elapsedMs() }, 'handler ended after its time limit');
  } else {
    logger.error({ elapsedMs: elapsedMs(), err: thrown }, 'handler failed after its time limit');
  }
}

const loggerOf = (c: Context): Logger => (c.get('logger') as Logger | undefined) ?? silentLogger;
