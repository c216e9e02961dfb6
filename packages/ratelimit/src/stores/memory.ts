import { type Clock, systemClock } from '@svc/core';
import { type Counts, meters } from '../meters.ts';
import type { Claim, Outcome, RateLimitStore } from '../store.ts';

export interface MemoryStoreOptions {
  /** The most keys that are kept. Beyond it the one that was asked for least recently is forgotten, used up or not. @default 100000 */
  maxKeys?: number;
  /** @default systemClock */
  clock?: Clock;
}

export interface MemoryStore extends RateLimitStore {
  readonly isLocal: true;
  /** How many keys are kept. */
  readonly size: number;
  consume(claims: readonly Claim[]): readonly Outcome[];
}

interface Kept extends Counts {
  expiresAt: number;
}

/** Counts in this process. @throws {TypeError} when `maxKeys` is not a positive whole number. */
export function memoryStore({
  maxKeys = 100_000,
  clock = systemClock,
}: MemoryStoreOptions = {}): MemoryStore {
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new TypeError('maxKeys is a whole number, at least 1');
  // In order of their last use, as a Map keeps what is deleted and set again.
  const kept = new Map<string, Kept>();

  const find = (key: string, nowMs: number) => {
    const counts = kept.get(key);
    if (counts === undefined || counts.expiresAt <= nowMs) return undefined;
    // Also who is refused stays young: hammering on does not make anybody forgotten.
    kept.delete(key);
    kept.set(key, counts);
    return counts;
  };
  const makeRoom = (nowMs: number) => {
    let examined = 0;
    for (const [key, { expiresAt }] of kept) {
      if (kept.size <= maxKeys && (expiresAt > nowMs || examined >= 4)) return;
      kept.delete(key);
      examined += 1;
    }
  };

  return {
    isLocal: true,
    get size() {
      return kept.size;
    },
    consume(claims) {
      const nowMs = clock.now().getTime();
      const found = claims.map((claim) => find(claim.key, nowMs));
      const outcomes = claims.map((claim, i) =>
        meters[claim.algorithm].look(claim, found[i], nowMs),
      );
      if (claims.some((claim, i) => !claim.shadow && outcomes[i]?.hasRoom === false))
        return outcomes;
      return claims.map((claim, i) => {
        const outcome = outcomes[i] as Outcome;
        if (!outcome.hasRoom || claim.cost === 0) return outcome;
        const meter = meters[claim.algorithm];
        const counts = meter.take(claim, found[i], nowMs);
        const after = meter.look({ ...claim, cost: 0 }, counts, nowMs);
        kept.set(claim.key, { ...counts, expiresAt: nowMs + after.resetAfterMs });
        makeRoom(nowMs);
        return after;
      });
    },
  };
}
