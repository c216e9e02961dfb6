import type { AuthContext } from './context.ts';
import { purgeEnrolments } from './second-factors/totp.ts';

/** How many rows were deleted. */
export interface Purged {
  readonly throttles: number;
  readonly devices: number;
  readonly challenges: number;
  readonly refreshFamilies: number;
  readonly oneTimeTokens: number;
  readonly totpEnrolments: number;
}

/**
 * Deletes what is over and nobody looks at: counters of failures, devices that no browser has any more, challenges, keys
 * of refresh tokens, links that were mailed and what waited for them, secrets of apps that were never confirmed.
 */
export async function purge(context: AuthContext): Promise<Purged> {
  const { db, clock, throttles, devices, challenges, refresh, tokens } = context;
  return {
    throttles: await throttles.purge(db),
    devices: await devices.purge(db),
    challenges: await challenges.purge(db),
    refreshFamilies: await refresh.families.purge(db, clock.now()),
    oneTimeTokens: await tokens.purge(db),
    totpEnrolments: await purgeEnrolments(context),
  };
}

/** Work that is done again and again until it is stopped. */
export interface Cycle {
  start(): void;
  /** Resolves when the round under way has ended. */
  stop(): Promise<void>;
}

const everyMs = 60 * 60_000;

/** Purges once an hour, by the context's clock; any number of processes may. */
export function createPurgeCycle(context: AuthContext): Cycle {
  const { clock, logger } = context;
  let running: { stopping: AbortController; done: Promise<void> } | undefined;
  const cycle = async (signal: AbortSignal) => {
    for (;;) {
      try {
        await clock.sleep(everyMs, signal);
      } catch {
        return;
      }
      await purge(context).catch((error: unknown) =>
        logger.error({ err: error }, 'what is over could not be purged'),
      );
    }
  };
  return {
    start() {
      if (running !== undefined) return;
      const stopping = new AbortController();
      running = { stopping, done: cycle(stopping.signal) };
    },
    async stop() {
      const former = running;
      running = undefined;
      former?.stopping.abort();
      await former?.done;
    },
  };
}
