import type { Clock } from '@svc/core';
import { DatabaseUnavailable } from '../failures.ts';

/** Lets one in at a time, in order. */
export interface Turns {
  readonly taken: boolean;
  readonly waiting: number;
  /** @throws {DatabaseUnavailable} when it is not our turn in time. */
  take(): Promise<void>;
  give(): void;
  /** Refuses those who wait and those to come, and resolves when nobody is in (at most after 5 s). */
  close(): Promise<void>;
}

interface Waiter {
  enter(): void;
  refuse(): void;
}

const closeTimeoutMs = 5000;
// Nobody reads it; without one each abort makes a DOMException with a stack.
const entered = 'entered';
const closedError = () => new Error('The database connection is closed.');

export function createTurns(timeoutMs: number, clock: Clock): Turns {
  const waiters: Waiter[] = [];
  let taken = false;
  let closed = false;
  let onFree: (() => void) | undefined;

  const wait = () =>
    new Promise<void>((resolve, reject) => {
      const timer = new AbortController();
      const settle = (then: () => void) => () => {
        timer.abort(entered);
        then();
      };
      const waiter: Waiter = {
        enter: settle(resolve),
        refuse: settle(() => reject(closedError())),
      };
      waiters.push(waiter);
      clock.sleep(timeoutMs, timer.signal).then(
        () => {
          waiters.splice(waiters.indexOf(waiter), 1);
          const cause = new Error(
            `PGlite's one connection did not become free within ${timeoutMs} ms`,
          );
          reject(new DatabaseUnavailable(undefined, { cause }));
        },
        () => {}, // It was our turn.
      );
    });

  return {
    get taken() {
      return taken;
    },
    get waiting() {
      return waiters.length;
    },
    async take() {
      if (closed) throw closedError();
      if (taken) return wait();
      taken = true;
    },
    give() {
      const next = waiters.shift();
      if (next !== undefined) return next.enter();
      taken = false;
      onFree?.();
    },
    async close() {
      closed = true;
      for (const waiter of waiters.splice(0)) waiter.refuse();
      if (!taken) return;
      const timer = new AbortController();
      const free = new Promise<void>((resolve) => (onFree = resolve));
      await Promise.race([free, clock.sleep(closeTimeoutMs, timer.signal).catch(() => {})]); // Aborted below, when free.
      timer.abort();
    },
  };
}
