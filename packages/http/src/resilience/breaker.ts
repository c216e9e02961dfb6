import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import { breakerChanged } from '../events.ts';
import { CircuitOpen } from './failures.ts';
import { isFault as isAnyFault } from './fault.ts';

/** `closed`: calls pass. `open`: they are refused at once. `half-open`: one is let through to see. */
export type BreakerState = 'closed' | 'open' | 'half-open';

export interface BreakerOptions {
  /** What is called, for events and logs. */
  name: string;
  /** How many of the last `samples` calls have to fail. @default 5 */
  failures?: number;
  /** @default 20 */
  samples?: number;
  /** How long it stays open before somebody looks, in milliseconds. @default 5000 */
  openMs?: number;
  /** Whether an error counts; one that does not is as good as an answer. @default failures of kind unavailable, timeout and rate_limited, and what is no failure */
  isFault?: (error: unknown) => boolean;
  /** Looks whether it is there again, in place of the next call; until it resolves, calls are refused. @default the next call finds out */
  probe?: () => Promise<unknown>;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

/** Leave to make one call. Exactly one of its ends is to be called; a second one is without effect. */
export interface Permit {
  succeeded(): void;
  /** Counts the error where it is a fault. */
  failed(error: unknown): void;
  /** The call was not made, or says nothing. */
  released(): void;
}

/** Stops calling what has failed too often, and begins again when it is back (Nygard, "Release It!"). */
export interface Breaker {
  readonly name: string;
  readonly state: BreakerState;
  /** @throws {CircuitOpen} */
  admit(): Permit;
  /** @throws {CircuitOpen} without calling it, or what `call` throws. */
  run<T>(call: () => Promise<T>): Promise<T>;
}

/** Makes a circuit breaker. @throws {TypeError} where `failures` is not between 1 and `samples`. */
export function createBreaker({
  name,
  failures = 5,
  samples = 20,
  openMs = 5000,
  isFault = isAnyFault,
  probe,
  clock = systemClock,
  logger = silentLogger,
}: BreakerOptions): Breaker {
  if (!(failures >= 1 && failures <= samples))
    throw new TypeError('failures must be from 1 to samples');
  const counts = createCounts(samples);
  let state: BreakerState = 'closed';
  let opensUntilMs = 0;
  // Tells late calls of an earlier phase from those of this one.
  let phase = 0;

  const become = (next: BreakerState, forMs = openMs) => {
    const from = state;
    state = next;
    phase += 1;
    counts.clear();
    // Whoever was let through to see may hang: after that long another one may.
    if (next !== 'closed') opensUntilMs = clock.elapsedMs() + forMs;
    if (next === 'open') logger.warn({ breaker: name, from }, 'circuit opened');
    if (next === 'closed') logger.info({ breaker: name }, 'circuit closed');
    breakerChanged.publish(name, { from, to: next });
  };
  const judge = (admittedIn: number, failed: boolean) => {
    if (admittedIn !== phase) return;
    if (state === 'half-open') return become(failed ? 'open' : 'closed');
    if (counts.add(failed) >= failures) become('open');
  };
  const refused = () => {
    const leftMs = Math.max(0, opensUntilMs - clock.elapsedMs());
    return new CircuitOpen({ retryAfterSeconds: Math.max(1, Math.ceil(leftMs / 1000)) });
  };
  const runProbe = async (ask: () => Promise<unknown>) => {
    const admittedIn = phase;
    await ask().then(
      () => judge(admittedIn, false),
      () => judge(admittedIn, true),
    );
  };
  const permitOf = (admittedIn: number): Permit => {
    let used = false;
    const end = (failed: boolean) => {
      if (!used) judge(admittedIn, failed);
      used = true;
    };
    return {
      succeeded: () => end(false),
      failed: (error) => end(isFault(error)),
      released() {
        // The one who was to find out did not: the next one may.
        if (!used && admittedIn === phase && state === 'half-open') become('open', 0);
        used = true;
      },
    };
  };
  const admit = () => {
    if (state === 'closed') return permitOf(phase);
    if (clock.elapsedMs() < opensUntilMs) throw refused();
    become('half-open');
    if (probe === undefined) return permitOf(phase);
    void runProbe(async () => probe());
    throw refused();
  };

  return {
    name,
    get state() {
      return state;
    },
    admit,
    async run(call) {
      const permit = admit();
      try {
        const result = await call();
        permit.succeeded();
        return result;
      } catch (error) {
        permit.failed(error);
        throw error;
      }
    },
  };
}

/** The outcomes of the last so many calls. */
function createCounts(size: number) {
  const outcomes = new Uint8Array(size);
  let at = 0;
  let failed = 0;
  return {
    /** How many of them failed, with this one. */
    add(failure: boolean): number {
      failed += Number(failure) - (outcomes[at] as number);
      outcomes[at] = Number(failure);
      at = (at + 1) % size;
      return failed;
    },
    clear() {
      outcomes.fill(0);
      failed = 0;
    },
  };
}
