import { TooManyCalls } from './failures.ts';

export interface BulkheadOptions {
  /** How many calls may be under way. */
  maxConcurrent: number;
  /** How many more may wait for their turn. @default 0 */
  maxWaiting?: number;
}

/** Keeps one thing that is slow from taking everything. */
export interface Bulkhead {
  readonly active: number;
  readonly waiting: number;
  /** A place, if there is one now: the function gives it back. */
  tryEnter(): (() => void) | undefined;
  /** Waits for a place; the returned function gives it back. @throws {TooManyCalls} at once when nobody more may wait, and the signal's reason when aborted. */
  enter(signal?: AbortSignal): Promise<() => void>;
}

interface Waiting {
  readonly proceed: () => void;
}

export function createBulkhead({ maxConcurrent, maxWaiting = 0 }: BulkheadOptions): Bulkhead {
  if (!(maxConcurrent >= 1)) throw new TypeError('maxConcurrent must be at least 1');
  const queue = new Set<Waiting>();
  let active = 0;

  const handOn = () => {
    // The place goes on to the next in line, so that nobody can slip in between.
    const [next] = queue;
    if (next === undefined) return void (active -= 1);
    queue.delete(next);
    next.proceed();
  };
  const place = () => {
    let left = false;
    return () => {
      if (left) return;
      left = true;
      handOn();
    };
  };
  const tryEnter = () => {
    if (active >= maxConcurrent) return undefined;
    active += 1;
    return place();
  };

  return {
    get active() {
      return active;
    },
    get waiting() {
      return queue.size;
    },
    tryEnter,
    async enter(signal) {
      signal?.throwIfAborted();
      const leave = tryEnter();
      if (leave !== undefined) return leave;
      if (queue.size >= maxWaiting) throw new TooManyCalls({ retryAfterSeconds: 1 });
      return new Promise((resolve, reject) => {
        const aborted = () => {
          queue.delete(waiting);
          reject(signal?.reason);
        };
        const waiting: Waiting = {
          proceed() {
            signal?.removeEventListener('abort', aborted);
            resolve(place());
          },
        };
        signal?.addEventListener('abort', aborted, { once: true });
        queue.add(waiting);
      });
    },
  };
}
