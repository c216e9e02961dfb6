import type { Clock } from '@svc/core';

/** Something that may have happened; stays set until it is cleared. */
export interface Signal {
  set(): void;
  clear(): void;
  /** Resolves when it is set, or after so long, and clears it. */
  wait(ms?: number): Promise<void>;
}

export function createSignal(clock: Clock): Signal {
  let isSet = false;
  let wake: (() => void) | undefined;
  return {
    set() {
      isSet = true;
      wake?.();
    },
    clear() {
      isSet = false;
    },
    async wait(ms) {
      if (!isSet) {
        const timer = new AbortController();
        await new Promise<void>((resolve) => {
          wake = resolve;
          if (ms !== undefined) clock.sleep(ms, timer.signal).then(resolve, () => {});
        });
        wake = undefined;
        // Nobody reads the reason; without one each abort would make a DOMException.
        timer.abort('woken');
      }
      isSet = false;
    },
  };
}
