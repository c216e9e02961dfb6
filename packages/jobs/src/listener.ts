import type { Clock, Logger } from '@svc/core';
import { createSignal } from './signal.ts';
import type { JobStore } from './store.ts';

const retryMs = 1000;
const proofMs = 2000;

/** Listens for the wake-ups of other processes, again and again, until the signal. Where it cannot, workers still look now and then. */
export async function keepListening({
  store,
  clock,
  logger,
  onWake,
  signal,
}: {
  store: JobStore;
  clock: Clock;
  logger: Logger;
  onWake: () => void;
  signal: AbortSignal;
}): Promise<void> {
  let warned = false;
  const warn = (fields: object, message: string) => {
    if (!warned) logger.warn(fields, message);
    warned = true;
  };
  while (!signal.aborted) {
    const heard = createSignal(clock);
    const over = createSignal(clock);
    signal.addEventListener('abort', over.set, { once: true });
    let isOver = false;
    let isHeard = false;
    try {
      const listener = await store.listen(
        () => {
          isHeard = true;
          heard.set();
          onWake();
        },
        () => {
          isOver = true;
          over.set();
        },
      );
      try {
        // Behind PgBouncer in transaction mode LISTEN succeeds and nothing ever comes.
        await store.wake();
        if (!isHeard) await heard.wait(proofMs);
        if (!isHeard && !isOver && !signal.aborted) {
          warn(
            {},
            'no wake-ups come through this connection (a pooler?): workers look for jobs now and then',
          );
          return;
        }
        // What came while nobody listened.
        onWake();
        if (!signal.aborted && !isOver) await over.wait();
      } finally {
        await listener[Symbol.asyncDispose]();
      }
    } catch (error) {
      warn(
        { err: error },
        'workers cannot be woken at the moment: they look for jobs now and then',
      );
    } finally {
      signal.removeEventListener('abort', over.set);
    }
    await clock.sleep(retryMs, signal).catch(() => {});
  }
}
