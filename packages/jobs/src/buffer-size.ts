import type { Clock } from '@svc/core';

/** What of the attempts decides how many may wait. */
interface Waiting {
  readonly waiting: number;
  /** How long the job that was started last had waited here. */
  readonly lastWaitedMs: number;
}

/** Longer than this a job is not to wait here: another worker could run it. */
const longestWaitMs = 50;

/** How many jobs may wait in this process: more while claims come back full and are used up at once, fewer when jobs wait. */
export function sizeBuffer(most: number, clock: Clock) {
  let size = 0;
  let shrunkAtMs = clock.elapsedMs();
  return {
    get size() {
      return size;
    },
    learn(wasFull: boolean, { waiting, lastWaitedMs }: Waiting): void {
      if (lastWaitedMs > longestWaitMs) {
        // At most once in the time it takes to see what the last cut did.
        if (clock.elapsedMs() - shrunkAtMs < longestWaitMs) return;
        shrunkAtMs = clock.elapsedMs();
        size = Math.floor(size / 2);
      } else if (wasFull && waiting >= 0) size = Math.min(most, Math.max(8, size * 2));
    },
  };
}
