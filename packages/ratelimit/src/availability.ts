import type { Clock, Logger } from '@svc/core';
import { createDeadlines } from './deadlines.ts';
import { storeDown, storeUp } from './events.ts';

/** The store cannot be asked at the moment. */
export class StoreAway extends Error {
  override readonly name = 'StoreAway';
}

/** Asks a store and never waits long for it: while it is away, only one call at a time finds out whether it still is. */
export interface Availability {
  /** @throws {StoreAway} at once while the store is known to be away, else when it fails or is too slow. */
  ask<T>(call: () => Promise<T>): Promise<T>;
}

export interface AvailabilityOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly name: string;
  readonly timeoutMs: number;
  readonly retryMs: number;
}

/** After so many failures in a row the store is taken to be away: one slow answer is no outage. */
const failuresToOpen = 3;

export function createAvailability({
  clock,
  logger,
  name,
  timeoutMs,
  retryMs,
}: AvailabilityOptions): Availability {
  const inTime = createDeadlines(clock, timeoutMs);
  let failures = 0;
  let downSince: number | undefined;
  let retryAt = 0;

  const succeeded = () => {
    failures = 0;
    if (downSince === undefined) return;
    const downForMs = Math.round(clock.elapsedMs() - downSince);
    downSince = undefined;
    logger.info({ instance: name, downForMs }, 'the rate limit store answers again');
    storeUp.publish(name, { downForMs });
  };
  const failed = (error: unknown): StoreAway => {
    failures += 1;
    retryAt = clock.elapsedMs() + retryMs;
    if (downSince === undefined && failures >= failuresToOpen) {
      downSince = clock.elapsedMs();
      const reason = reasonOf(error);
      logger.warn({ instance: name, reason }, 'the rate limit store does not answer');
      storeDown.publish(name, { reason });
    }
    return new StoreAway('the rate limit store does not answer', { cause: error });
  };

  return {
    ask(call) {
      if (downSince !== undefined) {
        if (clock.elapsedMs() < retryAt)
          return Promise.reject(new StoreAway('the rate limit store does not answer'));
        retryAt = clock.elapsedMs() + retryMs;
      }
      return inTime(call(), succeeded, failed);
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}
