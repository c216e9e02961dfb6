import { type Clock, type Duration, type Logger, silentLogger, systemClock, toMs } from '@svc/core';
import type { AbuseState, AbuseStore } from './abuse-store.ts';
import { createAvailability, StoreAway } from './availability.ts';
import { abuseScored, blocked, unblocked } from './events.ts';
import { LimiterUnavailable } from './failures.ts';

/** What a caller can do wrong; an app may add its own. */
export type AbuseSignal =
  | 'rate_limited'
  | 'oversized'
  | 'malformed'
  | 'sign_in_failed'
  | 'unknown_route'
  | (string & {});

export interface AbuseStatus extends AbuseState {
  readonly standing: 'good' | 'slowed' | 'blocked';
}

/** Somebody of whom something is held. */
export interface KnownCaller extends AbuseStatus {
  readonly caller: string;
}

/** Adds up what callers do wrong, and slows down or blocks those who do much of it. While its store is away, everybody is in good standing. */
export interface AbuseGuard {
  /** Counts something against a caller, and blocks it where that is too much. @throws {TypeError} when the signal has no weight */
  report(caller: string, signal: AbuseSignal): Promise<AbuseStatus>;
  /** How a caller stands; at most `cacheFor` old where another process changed it. */
  status(caller: string): Promise<AbuseStatus>;
  /** Cuts a caller off, by hand. @throws {LimiterUnavailable} */
  block(caller: string, duration: Duration): Promise<void>;
  /** Lets a caller in again and forgets its score; gives whether it was blocked. @throws {LimiterUnavailable} */
  unblock(caller: string): Promise<boolean>;
  /** Of whom something is held: who is blocked, the longest to go first, then the others, the highest score first. @throws {LimiterUnavailable} */
  list(options?: { limit?: number }): Promise<readonly KnownCaller[]>;
}

export interface AbuseGuardOptions {
  /** `memoryAbuseStore()`, `redisAbuseStore(client)`, `postgresAbuseStore(db)`. */
  store: AbuseStore;
  /** Points by signal; what is given is added to the defaults. @default rate_limited 1, oversized 5, malformed 2, sign_in_failed 5, unknown_route 2 */
  weights?: Readonly<Record<string, number>>;
  /** In this time a score halves. @default '5m' */
  halfLife?: Duration;
  /** From this score on a caller is slowed down. @default 50 */
  slowAt?: number;
  /** At this score a caller is blocked. @default 100 */
  blockAt?: number;
  /** @default '15m' */
  blockFor?: Duration;
  /** How long a status is believed without asking a store that is not local. @default '1s' */
  cacheFor?: Duration;
  /** @default '40ms' */
  storeTimeout?: Duration;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'abuse' */
  name?: string;
}

const defaultWeights: Readonly<Record<string, number>> = {
  rate_limited: 1,
  oversized: 5,
  malformed: 2,
  sign_in_failed: 5,
  unknown_route: 2,
};
const mostRemembered = 10_000;

/** @throws {TypeError} when an option is not usable. */
export function createAbuseGuard({
  store,
  weights: given = {},
  halfLife = '5m',
  slowAt = 50,
  blockAt = 100,
  blockFor = '15m',
  cacheFor = '1s',
  storeTimeout = '40ms',
  clock = systemClock,
  logger = silentLogger,
  name = 'abuse',
}: AbuseGuardOptions): AbuseGuard {
  const halfLifeMs = toMs(halfLife);
  const weights = new Map(Object.entries({ ...defaultWeights, ...given }));
  if (!(halfLifeMs > 0)) throw new TypeError('halfLife is more than 0');
  if (!(slowAt > 0 && blockAt >= slowAt))
    throw new TypeError('slowAt is more than 0 and no more than blockAt');
  if ([...weights.values()].some((points) => !(points >= 0 && Number.isFinite(points))))
    throw new TypeError('a weight is a number, at least 0');
  const timing = { timeoutMs: toMs(storeTimeout), retryMs: 1000 };
  const { ask } = createAvailability({ clock, logger, name, ...timing });
  const known = createMemory(clock, store.isLocal ? 0 : toMs(cacheFor));

  const toStatus = (state: AbuseState): AbuseStatus => ({
    ...state,
    standing: state.blockedForMs > 0 ? 'blocked' : state.score >= slowAt ? 'slowed' : 'good',
  });
  const orRefuse = (error: unknown): never => {
    throw error instanceof StoreAway ? new LimiterUnavailable({ cause: error }) : error;
  };
  const orGood = (error: unknown): AbuseStatus => {
    if (!(error instanceof StoreAway)) throw error;
    return { score: 0, blockedForMs: 0, standing: 'good' };
  };
  const block = async (caller: string, forMs: number, reason: 'score' | 'manual') => {
    known.delete(caller);
    const isNew = await ask(() => store.block(caller, forMs));
    if (!isNew && reason === 'score') return;
    logger.warn({ instance: name, caller, forMs, reason }, 'a caller is blocked');
    blocked.publish(name, { caller, forMs, reason });
  };
  const score = async (caller: string, signal: string, points: number): Promise<AbuseStatus> => {
    const state = await ask(() => store.add(caller, points, halfLifeMs));
    abuseScored.publish(name, { caller, signal, points, score: state.score });
    let status = toStatus(state);
    if (state.score >= blockAt && state.blockedForMs === 0) {
      const blockedForMs = toMs(blockFor);
      await block(caller, blockedForMs, 'score');
      status = toStatus({ ...state, blockedForMs });
    }
    known.set(caller, status);
    return status;
  };

  return {
    async report(caller, signal) {
      const points = weights.get(signal);
      if (points === undefined) throw new TypeError(`the signal ${signal} has no weight`);
      return score(requireCaller(caller), signal, points).catch(orGood);
    },
    async status(caller) {
      const remembered = known.get(requireCaller(caller));
      if (remembered !== undefined) return remembered;
      try {
        const status = toStatus(await ask(() => store.read(caller, halfLifeMs)));
        known.set(caller, status);
        return status;
      } catch (error) {
        return orGood(error);
      }
    },
    async block(caller, duration) {
      const forMs = toMs(duration);
      if (!(forMs > 0)) throw new TypeError('a block lasts more than 0');
      await block(requireCaller(caller), forMs, 'manual').catch(orRefuse);
    },
    async unblock(caller) {
      const named = requireCaller(caller);
      const wasBlocked = await ask(() => store.unblock(named)).catch(orRefuse);
      known.delete(caller);
      if (wasBlocked) {
        logger.info({ instance: name, caller }, 'a caller is let in again');
        unblocked.publish(name, { caller });
      }
      return wasBlocked;
    },
    async list({ limit = 100 } = {}) {
      const found = await ask(() => store.list(halfLifeMs, limit)).catch(orRefuse);
      return found.map((one) => ({ caller: one.caller, ...toStatus(one) }));
    },
  };
}

function requireCaller(caller: string): string {
  if (typeof caller !== 'string' || caller === '' || caller.length > 255)
    throw new TypeError('a caller has 1 to 255 characters');
  return caller;
}

/** Statuses that were seen a moment ago. */
function createMemory(clock: Clock, forMs: number) {
  const seen = new Map<string, { status: AbuseStatus; until: number }>();
  return {
    get(caller: string): AbuseStatus | undefined {
      const found = seen.get(caller);
      return found !== undefined && found.until > clock.elapsedMs() ? found.status : undefined;
    },
    set(caller: string, status: AbuseStatus): void {
      if (forMs === 0) return;
      seen.delete(caller);
      seen.set(caller, { status, until: clock.elapsedMs() + forMs });
      for (const oldest of seen.keys()) {
        if (seen.size <= mostRemembered) return;
        seen.delete(oldest);
      }
    },
    delete: (caller: string): void => void seen.delete(caller),
  };
}
