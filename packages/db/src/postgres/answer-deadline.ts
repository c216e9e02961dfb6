import type { Clock } from '@svc/core';

/** Watches over one question at a time. */
export interface AnswerDeadline {
  /** A question is on its way. */
  begin(): void;
  /** It was answered. */
  end(): void;
  /** There will be no more questions. */
  stop(): void;
}

/** Calls `onMissed` when an answer is not there in time. One timer for many questions: one each would cost more than asking. */
export function watchAnswers(
  withinMs: number | undefined,
  clock: Clock,
  onMissed: () => void,
): AnswerDeadline {
  let deadlineMs: number | undefined;
  let isWatching = false;
  const stopped = new AbortController();

  const watch = async (forMs: number) => {
    isWatching = true;
    for (let leftMs = forMs; deadlineMs !== undefined; leftMs = deadlineMs - clock.elapsedMs()) {
      if (leftMs <= 0) {
        stopped.abort('missed');
        return onMissed();
      }
      await clock.sleep(leftMs, stopped.signal);
    }
    isWatching = false;
  };
  return {
    begin() {
      if (withinMs === undefined || stopped.signal.aborted) return;
      deadlineMs = clock.elapsedMs() + withinMs;
      if (!isWatching) watch(withinMs).catch(() => {}); // Stopped.
    },
    end: () => void (deadlineMs = undefined),
    stop: () => stopped.abort('stopped'),
  };
}
