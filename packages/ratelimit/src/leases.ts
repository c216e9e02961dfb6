import type { Clock } from '@svc/core';
import { type Ask, type Decision, toDecision } from './decision.ts';
import { shortKey } from './key.ts';
import type { Policy } from './limit.ts';
import type { Outcome } from './store.ts';

/** Asks the store for these costs, all or none. */
export type Consume = (asks: readonly Ask[]) => Promise<readonly Outcome[]>;

/**
 * Takes from the store in chunks and decides here. What is taken is counted in the store when it is taken; a node
 * holds at most a chunk (or the largest cost, if that is more) of a key, for at most a window. So in any window at
 * most chunk × nodes more passes than the limit promises.
 */
export interface Leases {
  /** The decision, where every key has enough left here. */
  take(asks: readonly Ask[]): Decision | undefined;
  /** The decision, after asking the store where that is needed. */
  check(asks: readonly Ask[]): Promise<Decision>;
}

export interface LeasesOptions {
  readonly chunk: number;
  readonly maxKeys: number;
  readonly clock: Clock;
  readonly consume: Consume;
  /** Told of every refusal of the store. */
  readonly refused: (asks: readonly Ask[], outcomes: readonly Outcome[]) => void;
}

interface Lease {
  left: number;
  expiresAt: number;
  /** In the store, when it was last asked. */
  remaining: number;
  resetsAt: number;
}

/** What the store refused, and to which costs. */
interface Refusal {
  readonly asks: readonly Ask[];
  readonly outcomes: readonly Outcome[];
}

/** No node takes more than a tenth of a limit at once: the others would find nothing. */
export const chunkOf = (chunk: number, { capacity }: Policy) =>
  Math.min(chunk, Math.max(1, Math.floor(capacity / 10)));

export function createLeases({ chunk, maxKeys, clock, consume, refused }: LeasesOptions): Leases {
  const leases = new Map<string, Lease>();
  const filling = new Map<string, Promise<Refusal | undefined>>();
  const leftOf = (key: string, nowMs: number) => {
    const lease = leases.get(key);
    return lease === undefined || lease.expiresAt <= nowMs ? 0 : lease.left;
  };

  const take = (asks: readonly Ask[]): Decision | undefined => {
    const nowMs = clock.elapsedMs();
    const held: Lease[] = [];
    for (const { key, cost } of asks) {
      const lease = leases.get(shortKey(key));
      if (lease === undefined || lease.expiresAt <= nowMs || lease.left < cost) return undefined;
      held.push(lease);
    }
    return toDecision(
      asks,
      asks.map(({ cost }, i): Outcome => {
        const lease = held[i] as Lease;
        lease.left -= cost;
        return {
          hasRoom: true,
          remaining: lease.remaining + lease.left,
          retryAfterMs: 0,
          resetAfterMs: Math.max(0, Math.ceil(lease.resetsAt - nowMs)),
        };
      }),
    );
  };

  const keep = (asks: readonly Ask[], outcomes: readonly Outcome[]) => {
    const nowMs = clock.elapsedMs();
    for (const [i, { key, cost, policy }] of asks.entries()) {
      const { remaining, resetAfterMs } = outcomes[i] as Outcome;
      const name = shortKey(key);
      const left = leftOf(name, nowMs) + cost;
      leases.delete(name);
      leases.set(name, {
        left,
        remaining,
        expiresAt: nowMs + policy.windowMs,
        resetsAt: nowMs + resetAfterMs,
      });
    }
    for (const oldest of leases.keys()) {
      if (leases.size <= maxKeys) return;
      leases.delete(oldest);
    }
  };

  /** A chunk of each, or where there is no room for that, just what is needed. */
  const fill = async (lacking: readonly Ask[]): Promise<Refusal | undefined> => {
    const nowMs = clock.elapsedMs();
    const upTo = (ask: Ask, goal: number): Ask => ({
      ...ask,
      cost: goal - leftOf(shortKey(ask.key), nowMs),
    });
    const whole = lacking.map((ask) => upTo(ask, Math.max(ask.cost, chunkOf(chunk, ask.policy))));
    const outcomes = await consume(whole);
    if (outcomes.every(({ hasRoom }) => hasRoom)) return void keep(whole, outcomes);
    const exact = lacking.map((ask) => upTo(ask, ask.cost));
    const second = await consume(exact);
    if (second.every(({ hasRoom }) => hasRoom)) return void keep(exact, second);
    refused(lacking, second);
    return { asks: lacking, outcomes: second };
  };

  const check = async (asks: readonly Ask[]): Promise<Decision> => {
    for (;;) {
      const taken = take(asks);
      if (taken !== undefined) return taken;
      const nowMs = clock.elapsedMs();
      const lacking = asks.filter(({ key, cost }) => leftOf(shortKey(key), nowMs) < cost);
      const pending = lacking.map(({ key }) => filling.get(key)).find((each) => each !== undefined);
      if (pending !== undefined) {
        // Many wait for one fill: what it was refused, those that want as much are refused, too.
        const refusal = decisionOf(await pending, asks);
        if (refusal !== undefined) return refusal;
        continue;
      }
      let decision: Decision | undefined;
      const filled = fill(lacking).then((refusal) => {
        // Before anybody else sees what came, or those who wait could take it for ever.
        decision = refusal === undefined ? take(asks) : decisionOf(refusal, asks);
        return refusal;
      });
      for (const { key } of lacking) filling.set(key, filled);
      try {
        await filled;
      } finally {
        for (const { key } of lacking) filling.delete(key);
      }
      if (decision !== undefined) return decision;
    }
  };

  return { take, check };
}

/** What a refusal of some limits means for a check of these. */
function decisionOf(refusal: Refusal | undefined, asks: readonly Ask[]): Decision | undefined {
  if (refusal === undefined) return undefined;
  const refusing = asks.flatMap((ask) => {
    const i = refusal.asks.findIndex(({ key, cost }) => key === ask.key && cost <= ask.cost);
    const outcome = refusal.outcomes[i];
    return outcome === undefined || outcome.hasRoom ? [] : [{ ask, outcome }];
  });
  if (refusing.length === 0) return undefined;
  return toDecision(
    refusing.map(({ ask }) => ask),
    refusing.map(({ outcome }) => outcome),
  );
}
