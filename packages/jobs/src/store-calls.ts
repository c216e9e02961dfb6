import type { Clock, Logger } from '@svc/core';
import { storeDown, storeUp } from './events.ts';

/** Asks the store for a worker: never throws, and does not wait for ever where nobody answers. */
export interface StoreCalls {
  /** The answer; `undefined` where there is none. One that comes too late goes to `onLate`. */
  ask<T>(call: () => Promise<T>, onLate?: (answer: T) => void): Promise<T | undefined>;
  /** How long to leave the store alone. */
  retryInMs(): number;
}

/** A connection that was cut without a word answers never: it is given up after so long. */
const patienceMs = 10_000;

export function createStoreCalls({
  clock,
  logger,
  name,
}: {
  clock: Clock;
  logger: Logger;
  name: string;
}): StoreCalls {
  let failures = 0;
  let downSince: number | undefined;

  const succeeded = () => {
    failures = 0;
    if (downSince === undefined) return;
    const downForMs = Math.round(clock.elapsedMs() - downSince);
    downSince = undefined;
    logger.info({ instance: name, downForMs }, 'the job store answers again');
    storeUp.publish(name, { downForMs });
  };
  const failed = (error: unknown) => {
    failures += 1;
    if (downSince !== undefined) return;
    downSince = clock.elapsedMs();
    const code = (error as { code?: unknown } | null)?.code;
    const reason =
      typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown';
    logger.warn({ instance: name, err: error }, 'the job store does not answer');
    storeDown.publish(name, { reason });
  };

  return {
    async ask(call, onLate) {
      const timer = new AbortController();
      let isLate = false;
      const answer = Promise.resolve().then(call);
      const tooLate = clock.sleep(patienceMs, timer.signal).then(() => {
        isLate = true;
        throw new TypeError(`the job store did not answer within ${patienceMs} ms`);
      });
      tooLate.catch(() => {}); // Answered in time.
      answer.then(
        (late) => isLate && onLate?.(late),
        () => {}, // Reported below, or nobody waits for it.
      );
      try {
        const given = await Promise.race([answer, tooLate]);
        succeeded();
        return given;
      } catch (error) {
        failed(error);
        return undefined;
      } finally {
        timer.abort('answered');
      }
    },
    retryInMs: () => Math.min(1000, 50 * 2 ** Math.min(failures, 10)),
  };
}
