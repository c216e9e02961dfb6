import { type Clock, failure, type Logger, silentLogger, systemClock } from '@svc/core';
import { sheddingChanged } from './events.ts';

/** The service has more to do than it can; what is refused now saves the rest. */
export class Overloaded extends failure(
  'http.overloaded',
  'unavailable',
  'The service has too much to do right now.',
) {}

/** Who is shed first. What is `critical` never is. */
export type Priority = 'critical' | 'high' | 'normal' | 'low';

export interface LoadShedderOptions {
  /** How late the event loop may be before requests are shed, in milliseconds. @default 50 */
  targetDelayMs?: number;
  /** How often it is measured, in milliseconds. @default 50 */
  sampleMs?: number;
  /** Of which instance the events are. @default 'http' */
  name?: string;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

/** Refuses as many requests as keep the event loop in time, the least important first. */
export interface LoadShedder {
  /** 0 sheds nothing; up to 1 a part of `low`, up to 2 all of it and a part of `normal`, up to 3 of `high`. */
  readonly level: number;
  /** How late the event loop was last, in milliseconds. */
  readonly delayMs: number;
  /** Whether a request of this priority may come in. */
  admits(priority: Priority): boolean;
  start(): void;
  stop(): void;
}

/** The level at which a priority begins to be shed. */
const floors: Readonly<Record<Exclude<Priority, 'critical'>, number>> = {
  low: 0,
  normal: 1,
  high: 2,
};
const highest = 3;

/** The next level: up in proportion to how late the loop is, at most half of a priority at once; down in small steps. */
export function nextLevel(level: number, delayMs: number, targetDelayMs: number): number {
  const excess = delayMs / targetDelayMs - 1;
  const next = excess > 0 ? level + Math.min(0.5, excess * 0.2) : level - 0.05;
  return Math.min(highest, Math.max(0, next));
}

/** Measures the lateness of its own timer, which every runtime has and which a utilisation of 100 % alone does not show. */
export function createLoadShedder({
  targetDelayMs = 50,
  sampleMs = 50,
  name = 'http',
  clock = systemClock,
  logger = silentLogger,
}: LoadShedderOptions = {}): LoadShedder {
  const owed = { low: 0, normal: 0, high: 0 };
  let level = 0;
  let delayMs = 0;
  let stopping: AbortController | undefined;

  const become = (next: number) => {
    const changed = (level === 0) !== (next === 0);
    level = next;
    if (!changed) return;
    if (next > 0) logger.warn({ delayMs }, 'overloaded: requests are shed');
    else logger.info({ delayMs }, 'no requests are shed any more');
    sheddingChanged.publish(name, { level, delayMs });
  };
  const measure = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      const startedAtMs = clock.elapsedMs();
      // Woken early only by the stop.
      await clock.sleep(sampleMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      delayMs = Math.max(0, clock.elapsedMs() - startedAtMs - sampleMs);
      become(nextLevel(level, delayMs, targetDelayMs));
    }
  };

  return {
    get level() {
      return level;
    },
    get delayMs() {
      return delayMs;
    },
    admits(priority) {
      if (level === 0 || priority === 'critical') return true;
      // Spread evenly and without chance: what is owed is carried on to the next request.
      owed[priority] += Math.min(1, Math.max(0, level - floors[priority]));
      if (owed[priority] < 1) return true;
      owed[priority] -= 1;
      return false;
    },
    start() {
      if (stopping !== undefined) return;
      stopping = new AbortController();
      void measure(stopping.signal);
    },
    stop() {
      stopping?.abort('stopped');
      stopping = undefined;
    },
  };
}
