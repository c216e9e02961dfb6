import type { Clock, Logger } from '@svc/core';
import { afterCommit, type Trx } from '@svc/db';
import type { JobStore } from './store.ts';

/** A worker of this process: gives whether it was idle with room for so many. */
type Listener = (jobs: number) => boolean;

/** Says to workers, of this process at once and of others through the store, that there may be work. */
export interface WakeUps {
  /** After the commit of `within`, dropped with its rollback; without one, now. */
  wake(jobs: number, within?: Trx): void;
  /** Calls `listener` until the returned function is called. */
  listen(listener: Listener): () => void;
}

/** At most one message in so long: a burst of commits is one. */
const apartMs = 5;

export function createWakeUps({
  store,
  clock,
  logger,
}: {
  store: JobStore;
  clock: Clock;
  logger: Logger;
}): WakeUps {
  const listeners = new Set<Listener>();
  let isSending = false;
  let isAsked = false;

  const send = async () => {
    if (isSending) {
      isAsked = true;
      return;
    }
    isSending = true;
    do {
      isAsked = false;
      try {
        await store.wake();
      } catch (error) {
        // The jobs are stored, and workers look for them now and then.
        logger.warn({ err: error }, 'workers of other processes could not be woken');
      }
      await clock.sleep(apartMs);
    } while (isAsked);
    isSending = false;
  };
  const now = (jobs: number) => {
    let taken = false;
    // Every worker here hears of it; other processes only where none here had room.
    for (const listener of listeners) taken = listener(jobs) || taken;
    if (!taken) void send();
  };

  return {
    wake(jobs, within) {
      if (within === undefined) now(jobs);
      else afterCommit(within, () => now(jobs));
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
