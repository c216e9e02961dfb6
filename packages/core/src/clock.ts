/** The only way to the time of day and to waiting. Passed as an option, so that tests hold time in their hands. */
export interface Clock {
  /** The time of day. */
  now(): Date;
  /** Milliseconds since an arbitrary moment; never runs backwards. For measuring. */
  elapsedMs(): number;
  /** Resolves after `ms` milliseconds; rejects with the signal's reason when aborted first. Keeps the process alive while it waits. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

// Node clamps longer timers to 1 ms (setTimeout takes a signed 32-bit integer).
const longestTimerMs = 2_147_483_647;

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) return reject(signal.reason);
    const startedAt = performance.now();
    let timer: NodeJS.Timeout;
    const leftMs = () => ms - (performance.now() - startedAt);
    const arm = () => {
      const left = Math.max(0, Math.ceil(leftMs()));
      timer = setTimeout(tick, Math.min(left, longestTimerMs));
    };
    // Timers cut fractions off and may fire a millisecond early: promised is at least `ms`.
    const tick = () => (leftMs() > 0 ? arm() : done());
    const done = () => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    };
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    arm();
  });
}

/** The machine's clock. */
export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  sleep,
};

/** A clock that runs like `clock` but whose time of day is moved by what `offsetMs()` answers, in milliseconds. */
export function shiftedClock(clock: Clock, offsetMs: () => number): Clock {
  return { ...clock, now: () => new Date(clock.now().getTime() + offsetMs()) };
}
