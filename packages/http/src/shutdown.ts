import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import type { Health } from './health.ts';

/** One thing that was opened and has to be closed. */
export interface Stoppable {
  readonly name: string;
  /** Closes it; has `graceMs` milliseconds for what is still in flight. `server.stop` of `serve` fits as it is. */
  stop(options: { graceMs: number }): Promise<unknown> | void;
}

/** Where signals come from: `process`, or something that behaves like it in a test. */
export interface SignalSource {
  on(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(signal: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
}

export interface OnSignalsOptions {
  /** What was opened, in the order of opening; closed in reverse, so the server, opened last, goes first. */
  opened: readonly Stoppable[];
  /** Its readiness goes off in the tick of the signal. */
  health?: Pick<Health, 'drain'>;
  /** How long to go on serving, so that balancers notice the readiness first, in milliseconds. @default 0 */
  delayMs?: number;
  /** When the process ends whatever still hangs, in milliseconds after the signal. @default 30000 */
  deadlineMs?: number;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
  /** @default process */
  process?: SignalSource;
  /** @default process.exit */
  exit?: (code: number) => void;
}

export interface Shutdown {
  /** Shuts down as a signal would; resolves after `exit` was called. */
  stop(reason: string): Promise<void>;
  /** Stops listening to signals. */
  [Symbol.dispose](): void;
}

/**
 * Shuts the process down on SIGTERM or SIGINT: readiness off, the delay, then everything closed in
 * reverse, then exit code 0, or 1 where something failed or did not end in time. A second signal
 * exits with 1 at once.
 */
export function onSignals({
  opened,
  health,
  delayMs = 0,
  deadlineMs = 30_000,
  clock = systemClock,
  logger = silentLogger,
  process: source = process,
  exit = (code) => process.exit(code),
}: OnSignalsOptions): Shutdown {
  let stopping: Promise<void> | undefined;
  let ended = false;
  const end = (code: number) => {
    if (ended) return;
    ended = true;
    exit(code);
  };

  const shutDown = async (reason: string) => {
    const endsAtMs = clock.elapsedMs() + deadlineMs;
    health?.drain();
    logger.info({ reason, delayMs, deadlineMs }, 'shutting down');
    if (delayMs > 0) await clock.sleep(Math.min(delayMs, deadlineMs));
    let failed = false;
    for (const each of opened.toReversed()) {
      const stopped = await stopOne(each, endsAtMs - clock.elapsedMs(), { clock, logger });
      failed ||= !stopped;
    }
    logger.info({ reason }, failed ? 'shut down, not cleanly' : 'shut down');
    end(failed ? 1 : 0);
  };

  const onSignal = (signal: string) => () => {
    if (stopping !== undefined) {
      logger.warn({ signal }, 'second signal: exiting at once');
      end(1);
    }
    stopping ??= shutDown(signal);
  };
  const listeners = { SIGTERM: onSignal('SIGTERM'), SIGINT: onSignal('SIGINT') };
  source.on('SIGTERM', listeners.SIGTERM);
  source.on('SIGINT', listeners.SIGINT);

  return {
    stop: (reason) => (stopping ??= shutDown(reason)),
    [Symbol.dispose]() {
      source.off('SIGTERM', listeners.SIGTERM);
      source.off('SIGINT', listeners.SIGINT);
    },
  };
}

// One that hangs may use most of the time, never all of it: those after it still get their turn before
// the deadline. It is told a little less than it has, so that cutting off at its own limit is no fault.
const shareOfRest = 0.8;
const toldShare = 0.9;

async function stopOne(
  { name, stop }: Stoppable,
  leftMs: number,
  { clock, logger }: { clock: Clock; logger: Logger },
): Promise<boolean> {
  const limitMs = Math.max(0, Math.floor(leftMs * shareOfRest));
  const finished = new AbortController();
  const stopped = (async () => stop({ graceMs: Math.floor(limitMs * toldShare) }))().then(
    () => true,
    (error: unknown) => {
      logger.error({ resource: name, err: error }, 'could not be closed');
      return false;
    },
  );
  const late = clock.sleep(limitMs, finished.signal).then(
    () => {
      logger.error({ resource: name, limitMs }, 'did not close in time');
      return false;
    },
    // Aborted below, once it has closed.
    () => stopped,
  );
  const result = await Promise.race([stopped, late]);
  finished.abort('stopped');
  return result;
}
