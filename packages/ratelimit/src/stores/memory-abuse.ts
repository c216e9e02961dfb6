import { type Clock, systemClock } from '@svc/core';
import { type AbuseState, type AbuseStore, decayed, forgottenAfterMs } from '../abuse-store.ts';

export interface MemoryAbuseStoreOptions {
  /** The most callers that are kept; those that are not blocked are forgotten first, the oldest first. @default 100000 */
  maxCallers?: number;
  /** @default systemClock */
  clock?: Clock;
}

interface Kept {
  score: number;
  scoredAt: number;
  expiresAt: number;
  blockedUntil: number;
}

/** Scores and blocks in this process. @throws {TypeError} when `maxCallers` is not a positive whole number. */
export function memoryAbuseStore({
  maxCallers = 100_000,
  clock = systemClock,
}: MemoryAbuseStoreOptions = {}): AbuseStore {
  if (!Number.isInteger(maxCallers) || maxCallers < 1)
    throw new TypeError('maxCallers is a whole number, at least 1');
  const scored = new Map<string, Kept>();
  const blocked = new Map<string, Kept>();
  const now = () => clock.now().getTime();

  const find = (caller: string, nowMs: number): Kept | undefined => {
    const kept = blocked.get(caller) ?? scored.get(caller);
    if (kept === undefined) return undefined;
    if (kept.blockedUntil > nowMs) return kept;
    blocked.delete(caller);
    scored.delete(caller);
    if (kept.expiresAt <= nowMs) return undefined;
    scored.set(caller, kept);
    return kept;
  };
  const keep = (caller: string, kept: Kept, nowMs: number) => {
    scored.delete(caller);
    blocked.delete(caller);
    (kept.blockedUntil > nowMs ? blocked : scored).set(caller, kept);
    for (const map of [scored, blocked])
      for (const oldest of map.keys()) {
        if (scored.size + blocked.size <= maxCallers) return;
        map.delete(oldest);
      }
  };
  const stateOf = (kept: Kept | undefined, nowMs: number, halfLifeMs: number): AbuseState => ({
    score: kept === undefined ? 0 : decayed(kept.score, nowMs - kept.scoredAt, halfLifeMs),
    blockedForMs: Math.max(0, (kept?.blockedUntil ?? 0) - nowMs),
  });

  return {
    isLocal: true,
    async add(caller, points, halfLifeMs) {
      const nowMs = now();
      const kept = find(caller, nowMs);
      const score = stateOf(kept, nowMs, halfLifeMs).score + points;
      const expiresAt = nowMs + forgottenAfterMs(score, halfLifeMs);
      const next = { score, scoredAt: nowMs, expiresAt, blockedUntil: kept?.blockedUntil ?? 0 };
      keep(caller, next, nowMs);
      return stateOf(next, nowMs, halfLifeMs);
    },
    async read(caller, halfLifeMs) {
      const nowMs = now();
      return stateOf(find(caller, nowMs), nowMs, halfLifeMs);
    },
    async block(caller, forMs) {
      const nowMs = now();
      const kept = find(caller, nowMs) ?? {
        score: 0,
        scoredAt: nowMs,
        expiresAt: nowMs,
        blockedUntil: 0,
      };
      const wasFree = kept.blockedUntil <= nowMs;
      keep(caller, { ...kept, blockedUntil: Math.max(kept.blockedUntil, nowMs + forMs) }, nowMs);
      return wasFree;
    },
    async unblock(caller) {
      const wasBlocked = (find(caller, now())?.blockedUntil ?? 0) > now();
      scored.delete(caller);
      blocked.delete(caller);
      return wasBlocked;
    },
    async list(halfLifeMs, limit) {
      const nowMs = now();
      return [...blocked, ...scored]
        .filter(([, kept]) => kept.blockedUntil > nowMs || kept.expiresAt > nowMs)
        .map(([caller, kept]) => ({ caller, ...stateOf(kept, nowMs, halfLifeMs) }))
        .toSorted((a, b) => b.blockedForMs - a.blockedForMs || b.score - a.score)
        .slice(0, limit);
    },
  };
}
