import { type Clock, systemClock } from '@svc/core';
import type { StoredAnswer, Withheld } from '../answer.ts';
import type { Claim, Claimed, IdempotencyStore } from '../store.ts';

export interface MemoryStoreOptions {
  /** The most keys that are kept. Beyond it finished ones are forgotten, the oldest first. @default 10000 */
  maxKeys?: number;
  /** @default systemClock */
  clock?: Clock;
}

interface Entry {
  readonly fingerprint: string;
  readonly token: string;
  readonly expiresAtMs: number;
  readonly leaseEndsAtMs: number;
  readonly result: StoredAnswer | Withheld | undefined;
}

/** Keeps keys in this process, for one process and for tests. @throws {TypeError} when `maxKeys` is not a positive whole number. */
export function memoryStore({
  maxKeys = 10_000,
  clock = systemClock,
}: MemoryStoreOptions = {}): IdempotencyStore {
  if (!Number.isInteger(maxKeys) || maxKeys < 1)
    throw new TypeError('maxKeys is a whole number, at least 1');
  const entries = new Map<string, Entry>();
  const nowMs = () => clock.elapsedMs();

  const makeRoom = () => {
    for (const [id, { result, expiresAtMs }] of entries) {
      if (entries.size <= maxKeys) return;
      if (result !== undefined || expiresAtMs <= nowMs()) entries.delete(id);
    }
  };
  const held = ({ id, token }: Claim) => {
    const entry = entries.get(id);
    return entry?.token === token && entry.result === undefined ? entry : undefined;
  };
  const claimNow = ({ id, fingerprint, token, leaseMs, ttlMs }: Claim): Claimed => {
    const now = nowMs();
    const entry = entries.get(id);
    if (entry !== undefined && entry.expiresAtMs > now) {
      const { result } = entry;
      if (result !== undefined)
        return { state: 'finished', fingerprint: entry.fingerprint, result: copyOf(result) };
      const leaseLeftMs = Math.max(0, entry.leaseEndsAtMs - now);
      if (leaseLeftMs > 0 || entry.fingerprint !== fingerprint)
        return { state: 'running', fingerprint: entry.fingerprint, leaseLeftMs };
    }
    entries.delete(id);
    const [expiresAtMs, leaseEndsAtMs] = [now + ttlMs, now + leaseMs];
    entries.set(id, { fingerprint, token, expiresAtMs, leaseEndsAtMs, result: undefined });
    makeRoom();
    return { state: 'granted' };
  };

  return {
    joins: false,
    claim: async (claim) => claimNow(claim),
    async finish(claim, result) {
      const entry = held(claim);
      if (entry !== undefined) entries.set(claim.id, { ...entry, result: copyOf(result) });
      return entry !== undefined;
    },
    async renew(claim) {
      const entry = held(claim);
      if (entry === undefined) return false;
      const leaseEndsAtMs = nowMs() + claim.leaseMs;
      const expiresAtMs = Math.max(entry.expiresAtMs, leaseEndsAtMs);
      entries.set(claim.id, { ...entry, leaseEndsAtMs, expiresAtMs });
      return true;
    },
    release: async (claim) => held(claim) !== undefined && entries.delete(claim.id),
    async purge() {
      const now = nowMs();
      const expired = [...entries].filter(([, { expiresAtMs }]) => expiresAtMs <= now);
      for (const [id] of expired) entries.delete(id);
      return expired.length;
    },
  };
}

// Whoever gets the bytes may change them; what is kept must not.
function copyOf(result: StoredAnswer | Withheld): StoredAnswer | Withheld {
  return typeof result === 'string' ? result : { ...result, body: result.body.slice() };
}
