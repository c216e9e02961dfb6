import type { Clock } from '@svc/core';

/** Watches many deadlines of the same length. */
export interface Deadlines {
  /** Calls `expire` when the time is over, unless the returned function was called before. */
  start(expire: () => void): () => void;
}

interface Waiting {
  readonly dueAtMs: number;
  expire: (() => void) | undefined;
}

/** How long the one sleeper sleeps at most: so long it may keep a process alive that has nothing left to wait for. */
const sliceMs = 100;

/**
 * One sleeper watches all of them in the order they came, which is the order they end: a timer and an `AbortSignal`
 * for each call would cost more than the rest of a policy.
 */
export function createDeadlines(clock: Clock, ms: number): Deadlines {
  let queue: Waiting[] = [];
  let active = 0;
  let watching = false;

  const watch = async () => {
    while (active > 0) {
      const nowMs = clock.elapsedMs();
      const next = queue.findIndex(
        ({ expire, dueAtMs }) => expire !== undefined && dueAtMs > nowMs,
      );
      const over = next < 0 ? queue : queue.slice(0, next);
      queue = next < 0 ? [] : queue.slice(next);
      for (const waiting of over) settle(waiting)?.();
      const [first] = queue;
      if (first !== undefined)
        await clock.sleep(Math.min(sliceMs, Math.max(0, first.dueAtMs - clock.elapsedMs())));
    }
    queue = [];
    watching = false;
  };
  const settle = (waiting: Waiting) => {
    const { expire } = waiting;
    if (expire !== undefined) active -= 1;
    waiting.expire = undefined;
    return expire;
  };

  return {
    start(expire) {
      const waiting: Waiting = { dueAtMs: clock.elapsedMs() + ms, expire };
      // Whoever never lets the sleeper wake (a loop of nothing but microtasks) must not fill the memory.
      if (queue.length > 1024 && queue.length > active * 4)
        queue = queue.filter((each) => each.expire !== undefined);
      queue.push(waiting);
      active += 1;
      if (!watching) {
        watching = true;
        void watch();
      }
      return () => void settle(waiting);
    },
  };
}
