export interface ConcurrencyLimitOptions {
  /** How many run at once. */
  maxRunning: number;
  /** How many wait for their turn, first come first served. */
  maxWaiting: number;
  /** What the next one beyond both is refused with. */
  refusal: () => Error;
}

/** Runs work, a bounded number at once and a bounded number waiting. */
export type ConcurrencyLimit = <Result>(work: () => Promise<Result>) => Promise<Result>;

export function createConcurrencyLimit({
  maxRunning,
  maxWaiting,
  refusal,
}: ConcurrencyLimitOptions): ConcurrencyLimit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running < maxRunning) running += 1;
    else if (waiting.length < maxWaiting)
      await new Promise<void>((resolve) => waiting.push(resolve));
    else throw refusal();
    try {
      return await work();
    } finally {
      // The place is handed over, not freed: a newcomer must not overtake those who wait.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
