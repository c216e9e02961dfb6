import type { Clock, Logger } from '@svc/core';

/** Work that goes on after the answer. */
export interface Background {
  /** Begins `work` once the code that answers has had its turn. What it throws is logged under `task`. */
  run(task: string, work: () => Promise<void>): void;
  /** Resolves when nothing is under way. */
  drained(): Promise<void>;
}

// A mail server that hangs must not let the process grow without end.
const maxUnderWay = 1000;

export function createBackground(logger: Logger, clock: Clock): Background {
  const underWay = new Set<Promise<void>>();
  return {
    run(task, work) {
      if (underWay.size >= maxUnderWay) {
        logger.error(
          { task, underWay: underWay.size },
          'too much background work, this was dropped',
        );
        return;
      }
      // A later turn of the loop: the answer is on its way before this costs anything.
      const done = clock
        .sleep(0)
        .then(work)
        .catch((error: unknown) => logger.error({ task, err: error }, 'background work failed'))
        .finally(() => underWay.delete(done));
      underWay.add(done);
    },
    async drained() {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}
