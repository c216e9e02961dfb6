/** Lets `count` run at once; the others wait their turn. */
export function createSlots(count: number) {
  if (!Number.isInteger(count) || count < 1)
    throw new TypeError('at least one must be allowed at once');
  let free = count;
  const queue: (() => void)[] = [];

  const acquire = (signal: AbortSignal): Promise<void> => {
    signal.throwIfAborted();
    if (free > 0) {
      free -= 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        queue.splice(queue.indexOf(turn), 1);
        reject(signal.reason);
      };
      const turn = () => {
        signal.removeEventListener('abort', onAbort);
        resolve();
      };
      signal.addEventListener('abort', onAbort, { once: true });
      queue.push(turn);
    });
  };

  const release = () => {
    const next = queue.shift();
    if (next === undefined) free += 1;
    else next();
  };

  return {
    /** Runs `work` when its turn comes. @throws the signal's reason when aborted while waiting. */
    async run<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
      await acquire(signal);
      try {
        return await work();
      } finally {
        release();
      }
    },
  };
}
