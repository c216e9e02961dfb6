import { writeKey, type LimitKey } from './key.ts';
import { type Limit, type Policy, toPolicy } from './limit.ts';
import type { Outcome } from './store.ts';

/** One limit to be consumed from. */
export interface LimitRequest {
  readonly limit: Limit;
  readonly key: LimitKey;
  /** A whole number from 0, which only looks. @default 1 */
  readonly cost?: number;
}

/** What a limit says after a decision. */
export interface LimitState {
  readonly name: string;
  readonly quota: number;
  readonly windowMs: number;
  readonly remaining: number;
  /** After so long nothing of it is used. */
  readonly resetAfterMs: number;
  /** After so long it has room for what was refused; 0 where it had room. */
  readonly retryAfterMs: number;
  /** Whether it had no room. */
  readonly violated: boolean;
  readonly shadow: boolean;
}

export interface Decision {
  readonly allowed: boolean;
  /** In the order they were asked for; of a refusal that was remembered, only those that refuse. */
  readonly limits: readonly LimitState[];
  /** After so long the same check has room, if nobody else comes before; `null` where it was allowed. */
  readonly retryAfterMs: number | null;
  /** Whether it was made without the store. */
  readonly degraded: boolean;
}

/** A request in the form that is worked with. */
export interface Ask {
  readonly policy: Policy;
  /** Written, not yet hashed. */
  readonly key: string;
  readonly cost: number;
}

/** Makes requests into what is worked with; one of `defineLimit` is looked through once. */
export function createAsks(): (requests: readonly LimitRequest[]) => Ask[] {
  const policies = new WeakMap<Limit, Policy>();
  const policyOf = (limit: Limit) => {
    const known = policies.get(limit);
    if (known !== undefined) return known;
    const policy = toPolicy(limit);
    // What `defineLimit` froze stays what it is; anything else may be changed by its owner.
    if (Object.isFrozen(limit)) policies.set(limit, policy);
    return policy;
  };
  return (requests) => {
    const asks: Ask[] = [];
    for (const { limit, key, cost = 1 } of requests) {
      const policy = policyOf(limit);
      if (!Number.isInteger(cost) || cost < 0)
        throw new TypeError(`limit ${policy.name}: cost is a whole number, at least 0`);
      const written = writeKey(policy, key);
      for (const other of asks) {
        // Two claims on one count would each find the room that is there once.
        if (other.key === written)
          throw new TypeError(`limit ${policy.name} is asked twice with one key; add the costs`);
      }
      asks.push({ policy, key: written, cost });
    }
    return asks;
  };
}

export function toDecision(
  asks: readonly Ask[],
  outcomes: readonly Outcome[],
  degraded = false,
): Decision {
  let retryAfterMs: number | null = null;
  const limits = asks.map(({ policy }, i): LimitState => {
    const { hasRoom, remaining, resetAfterMs, retryAfterMs: waitMs } = outcomes[i] as Outcome;
    if (!hasRoom && !policy.shadow) retryAfterMs = Math.max(retryAfterMs ?? 0, waitMs);
    return {
      name: policy.name,
      quota: policy.quota,
      windowMs: policy.windowMs,
      remaining,
      resetAfterMs,
      retryAfterMs: waitMs,
      violated: !hasRoom,
      shadow: policy.shadow,
    };
  });
  return { allowed: retryAfterMs === null, limits, retryAfterMs, degraded };
}
