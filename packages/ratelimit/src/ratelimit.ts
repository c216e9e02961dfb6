import { type Clock, type Duration, type Logger, silentLogger, systemClock, toMs } from '@svc/core';
import { createAvailability, StoreAway } from './availability.ts';
import { type Ask, createAsks, type Decision, type LimitRequest, toDecision } from './decision.ts';
import { createDenyCache, type Denial } from './deny-cache.ts';
import { exceeded, shadowExceeded } from './events.ts';
import { CostTooHigh, LimiterUnavailable, RateLimited } from './failures.ts';
import { createKeyHasher, shortKey } from './key.ts';
import { createLeases, type Leases } from './leases.ts';
import type { WhenUnavailable } from './limit.ts';
import type { Claim, Outcome, RateLimitStore } from './store.ts';
import { memoryStore } from './stores/memory.ts';

/** Limits, however many, decided in one step. */
export interface RateLimit {
  /** Consumes from all limits or, where one has no room, from none. @throws {CostTooHigh} @throws {LimiterUnavailable} @throws {TypeError} when a limit or key is none */
  check(requests: readonly LimitRequest[]): Promise<Decision>;
  /** The same, and refuses. @throws {RateLimited} @throws {CostTooHigh} @throws {LimiterUnavailable} */
  enforce(requests: readonly LimitRequest[]): Promise<Decision>;
}

export interface RateLimitOptions {
  /** Where is counted: `memoryStore()`, `redisStore(client)`, `postgresStore(db)`. */
  store: RateLimitStore;
  /** What becomes of limits that do not say it while the store is away. @default 'local' */
  whenUnavailable?: WhenUnavailable;
  /** How long the store is waited for; at most 50 ms in all is promised with the default. @default '40ms' */
  storeTimeout?: Duration;
  /** How often a store that is away is tried again. @default '1s' */
  retryStoreEvery?: Duration;
  /** Refusals that are remembered here, so that the store is not asked again before it can change its mind; `false` for none. @default { maxKeys: 10000 } */
  denyCache?: { maxKeys: number } | false;
  /** Takes so much at once from the store and decides here, for at most chunk × nodes too many in a window; no more than a tenth of a limit. @default none: the store is asked every time */
  lease?: { chunk: number; maxKeys?: number };
  /** How many keys are counted here while the store is away. @default 100000 */
  localMaxKeys?: number;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'ratelimit' */
  name?: string;
}

/** @throws {TypeError} when an option is not usable. */
export function createRateLimit({
  store,
  whenUnavailable = 'local',
  storeTimeout = '40ms',
  retryStoreEvery = '1s',
  denyCache = { maxKeys: 10_000 },
  lease,
  localMaxKeys = 100_000,
  clock = systemClock,
  logger = silentLogger,
  name = 'ratelimit',
}: RateLimitOptions): RateLimit {
  if (lease !== undefined && !isCount(lease.chunk))
    throw new TypeError('lease.chunk is a whole number, at least 1');
  if (denyCache !== false && !isCount(denyCache.maxKeys))
    throw new TypeError('denyCache.maxKeys is a whole number, at least 1');
  const asksOf = createAsks();
  const denials =
    denyCache === false || store.isLocal ? undefined : createDenyCache(denyCache.maxKeys);
  const local = memoryStore({ maxKeys: localMaxKeys, clock });
  const timing = { timeoutMs: toMs(storeTimeout), retryMs: toMs(retryStoreEvery) };
  const { ask } = createAvailability({ clock, logger, name, ...timing });

  const hashKey = createKeyHasher();
  const toClaim = ({ policy, key, cost }: Ask): Claim => ({
    key: hashKey(key),
    algorithm: policy.algorithm,
    quota: policy.quota,
    windowMs: policy.windowMs,
    capacity: policy.capacity,
    // A shadow may be asked for more than it ever has; how much more does not matter.
    cost: Math.min(cost, policy.capacity + 1),
    shadow: policy.shadow,
  });
  const consume = async (asks: readonly Ask[]): Promise<readonly Outcome[]> => {
    const claims = asks.map(toClaim);
    if (store.isLocal) return store.consume(claims);
    return ask(() => Promise.resolve(store.consume(claims)));
  };
  const remembered = (asks: readonly Ask[]): Decision | undefined => {
    if (denials === undefined || denials.size === 0) return undefined;
    const nowMs = clock.elapsedMs();
    const found: [Ask, Denial][] = [];
    for (const each of asks) {
      if (each.policy.shadow) continue;
      const denial = denials.find(shortKey(each.key), each.policy, each.cost, nowMs);
      if (denial !== undefined) found.push([each, denial]);
    }
    if (found.length === 0) return undefined;
    const outcomes = found.map(([, denial]): Outcome => ({
      hasRoom: false,
      remaining: denial.remaining,
      retryAfterMs: Math.ceil(denial.freesAt - nowMs),
      resetAfterMs: Math.max(0, Math.ceil(denial.resetsAt - nowMs)),
    }));
    const refusing = found.map(([each]) => each);
    return tell(toDecision(refusing, outcomes), true);
  };

  const remember = (asks: readonly Ask[], outcomes: readonly Outcome[]) => {
    if (denials === undefined) return;
    const nowMs = clock.elapsedMs();
    for (const [i, { policy, key, cost }] of asks.entries()) {
      const { hasRoom, remaining, retryAfterMs, resetAfterMs } = outcomes[i] as Outcome;
      if (hasRoom || policy.shadow) continue;
      const { quota, capacity } = policy;
      const freesAt = nowMs + retryAfterMs;
      const resetsAt = nowMs + resetAfterMs;
      denials.add(shortKey(key), { quota, capacity, cost, remaining, freesAt, resetsAt }, nowMs);
    }
  };

  const leases =
    lease === undefined || store.isLocal
      ? undefined
      : createLeases({
          chunk: lease.chunk,
          maxKeys: lease.maxKeys ?? 100_000,
          clock,
          consume,
          refused: remember,
        });

  const tell = (decision: Decision, cached: boolean): Decision => {
    for (const { violated, shadow, name: limit, retryAfterMs } of decision.limits)
      if (violated && shadow) shadowExceeded.publish(name, { limit, retryAfterMs });
    if (decision.allowed) return decision;
    const limits = decision.limits.filter(isRefusing).map((limit) => limit.name);
    exceeded.publish(name, { limits, retryAfterMs: decision.retryAfterMs ?? 0, cached });
    return decision;
  };

  /** Each limit by what it says of this case. A limit that must be counted and cannot be refuses all. */
  const withoutStore = (asks: readonly Ask[], error: StoreAway): Decision => {
    const modeOf = ({ policy }: Ask) => policy.whenUnavailable ?? whenUnavailable;
    if (asks.some((each) => !each.policy.shadow && modeOf(each) === 'closed'))
      throw new LimiterUnavailable({ cause: error });
    const counted = asks.filter((each) => modeOf(each) === 'local');
    const outcomes = local.consume(counted.map(toClaim));
    return toDecision(
      asks,
      asks.map((each) => outcomes[counted.indexOf(each)] ?? letThrough(each)),
      true,
    );
  };

  const decide = async (asks: readonly Ask[], leased: Leases | undefined): Promise<Decision> => {
    try {
      if (leased !== undefined) return tell(await leased.check(asks), false);
      const outcomes = await consume(asks);
      const decision = toDecision(asks, outcomes);
      if (!decision.allowed) remember(asks, outcomes);
      return tell(decision, false);
    } catch (error) {
      if (!(error instanceof StoreAway)) throw error;
      return tell(withoutStore(asks, error), false);
    }
  };

  // Without `async`, which would cost as much as a decision from memory.
  const check = (requests: readonly LimitRequest[]): Promise<Decision> => {
    try {
      const asks = asksOf(requests);
      assertPossible(asks);
      // A shadow is told about each time, and who only looks wants to see the store.
      const isLeased = asks.every(({ policy, cost }) => cost > 0 && !policy.shadow);
      const leased = isLeased ? leases : undefined;
      const known = remembered(asks) ?? leased?.take(asks);
      return known === undefined ? decide(asks, leased) : Promise.resolve(known);
    } catch (error) {
      return Promise.reject(error);
    }
  };

  return {
    check,
    async enforce(requests) {
      const decision = await check(requests);
      if (!decision.allowed) throw toFailure(decision);
      return decision;
    },
  };
}

/** The failure that a refusing decision becomes. */
export function toFailure({ retryAfterMs, limits }: Decision): RateLimited {
  const policies = limits.filter(isRefusing).map(({ name }) => name);
  return new RateLimited({ retryAfterMs: retryAfterMs ?? 0, policies });
}

const isRefusing = (limit: { violated: boolean; shadow: boolean }) =>
  limit.violated && !limit.shadow;

const isCount = (value: number) => Number.isInteger(value) && value >= 1;

function assertPossible(asks: readonly Ask[]): void {
  for (const { policy, cost } of asks)
    if (cost > policy.capacity && !policy.shadow) throw new CostTooHigh(policy.name);
}

const letThrough = ({ policy }: Ask): Outcome => ({
  hasRoom: true,
  remaining: policy.quota,
  retryAfterMs: 0,
  resetAfterMs: 0,
});
