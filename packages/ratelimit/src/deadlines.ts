import type { Clock } from '@svc/core';

/** What was waited for did not come in time. */
export class TooSlow extends Error {
  override readonly name = 'TooSlow';
}

interface Waiting {
  readonly dueAt: number;
  settled: boolean;
  readonly fail: (reason: unknown) => void;
}

/**
 * Gives every promise the same time. One sleeper watches all of them in the order they came: a timer for each would
 * cost more than what is timed.
 */
export function createDeadlines(clock: Clock, timeoutMs: number) {
  let queue: Waiting[] = [];
  let watching = false;

  const watch = async () => {
    while (queue.length > 0) {
      const nowMs = clock.elapsedMs();
      let next = 0;
      for (; next < queue.length; next += 1) {
        const waiting = queue[next] as Waiting;
        if (waiting.settled) continue;
        if (waiting.dueAt > nowMs) break;
        waiting.fail(new TooSlow());
      }
      queue = queue.slice(next);
      const [first] = queue;
      if (first !== undefined) await clock.sleep(first.dueAt - clock.elapsedMs());
    }
    watching = false;
  };

  /** Resolves as `promise` does, after `succeeded`; rejects with what `failed` makes of its reason, or of `TooSlow`. */
  return <T>(
    promise: Promise<T>,
    succeeded: () => void,
    failed: (reason: unknown) => Error,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      const waiting: Waiting = {
        dueAt: clock.elapsedMs() + timeoutMs,
        settled: false,
        fail(reason) {
          if (waiting.settled) return;
          waiting.settled = true;
          reject(failed(reason));
        },
      };
      queue.push(waiting);
      promise.then((value) => {
        if (waiting.settled) return;
        waiting.settled = true;
        succeeded();
        resolve(value);
      }, waiting.fail);
      if (watching) return;
      watching = true;
      void watch();
    });
}
