import type { Clock } from './clock.ts';
import { type Duration, toMs } from './duration.ts';
import type { EventChannel, EventMessage } from './events.ts';
import type { Logger } from './logger.ts';

export { freePort } from './testing/free-port.ts';
export { noRedisServer, type RedisServer, startRedisServer } from './testing/redis-server.ts';

/** A clock that stands still until told. */
export interface TestClock extends Clock {
  /** Moves time forward and wakes the sleepers on the way in order of their hour, each before the next. */
  advance(duration: Duration): Promise<void>;
  /** How many sleep now. */
  readonly sleeping: number;
}

interface Sleeper {
  wakesAtMs: number;
  wake: () => void;
}

/** A clock for tests, starting at 2026-01-01T00:00:00Z unless told. */
export function testClock(start = '2026-01-01T00:00:00Z'): TestClock {
  const startMs = new Date(start).getTime();
  let nowMs = startMs;
  const sleepers = new Set<Sleeper>();

  const nextUntil = (untilMs: number) => {
    let next: Sleeper | undefined;
    for (const sleeper of sleepers) {
      if (
        sleeper.wakesAtMs <= untilMs &&
        (next === undefined || sleeper.wakesAtMs < next.wakesAtMs)
      )
        next = sleeper;
    }
    return next;
  };

  return {
    now: () => new Date(nowMs),
    elapsedMs: () => nowMs - startMs,
    get sleeping() {
      return sleepers.size;
    },
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) return reject(signal.reason);
        const onAbort = () => {
          sleepers.delete(sleeper);
          reject(signal?.reason);
        };
        const sleeper: Sleeper = {
          wakesAtMs: nowMs + ms,
          wake() {
            sleepers.delete(sleeper);
            signal?.removeEventListener('abort', onAbort);
            resolve();
          },
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        sleepers.add(sleeper);
      }),
    async advance(duration) {
      const untilMs = nowMs + toMs(duration);
      await settle();
      for (let next = nextUntil(untilMs); next !== undefined; next = nextUntil(untilMs)) {
        nowMs = Math.max(nowMs, next.wakesAtMs);
        next.wake();
        await settle();
      }
      nowMs = untilMs;
    },
  };
}

// What a woken sleeper does next (and what it sleeps on again) happens in microtasks and the next turn of the loop.
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

/** One line that a recording logger kept. */
export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly message: string;
  readonly fields: Record<string, unknown>;
}

/** A logger that keeps its lines. */
export function recordingLogger(
  lines: LogLine[] = [],
  bound: Record<string, unknown> = {},
): Logger & { readonly lines: readonly LogLine[] } {
  const keep = (level: LogLine['level']) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...bound, ...fields } });
  return {
    lines,
    debug: keep('debug'),
    info: keep('info'),
    warn: keep('warn'),
    error: keep('error'),
    child: (fields) => recordingLogger(lines, { ...bound, ...fields }),
  };
}

/** Collects a channel's events until disposed: `using seen = recordEvents(loggedIn)`. */
export function recordEvents<Payload extends object>(
  channel: EventChannel<Payload>,
): Disposable & { readonly events: readonly EventMessage<Payload>[] } {
  const events: EventMessage<Payload>[] = [];
  const unsubscribe = channel.subscribe((message) => events.push(message));
  return { events, [Symbol.dispose]: unsubscribe };
}

/** A promise of a port that a store cannot keep, and why. */
export interface SkippedPromise {
  test: string;
  reason: string;
}

/** What declares a test; that of vitest fits. */
export interface DeclareTest {
  (title: string, run: () => Promise<void>): void;
  skip: (title: string, run: () => Promise<void>) => void;
}

/** Declares the tests of a contract suite: those that its caller gave a reason for are skipped, and say it. */
export function contractTest(
  test: DeclareTest,
  skip: readonly SkippedPromise[],
): (title: string, run: () => Promise<void>) => void {
  return (title, run) => {
    const reason = skip.find((each) => each.test === title)?.reason;
    if (reason === undefined) test(title, run);
    // skipped because the caller of the suite gave this reason
    else test.skip(`${title} (${reason})`, run);
  };
}
