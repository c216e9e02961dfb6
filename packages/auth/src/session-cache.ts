import { type Clock, type Duration, toMs } from '@svc/core';
import type { LiveSessionRow } from './live-sessions.ts';

export interface SessionCacheOptions {
  /** How long a session is answered from memory: the bound within which one that ended elsewhere is refused. At most 1s; 0s for never. @default 1s */
  maxAge?: Duration;
  /** How many sessions are remembered. @default 10000 */
  size?: number;
}

/** Sessions that this process has just looked up. */
export interface SessionCache {
  /** What is remembered of a token's hash, or else what `load` finds; that nothing was found is not remembered. */
  find(
    tokenHash: Uint8Array,
    load: () => Promise<LiveSessionRow | undefined>,
  ): Promise<LiveSessionRow | undefined>;
  /** Forgets the sessions of a user, those that are being looked up included. */
  forget(userId: string): void;
  /** How many are remembered. */
  readonly size: number;
}

interface Entry {
  readonly row: LiveSessionRow;
  readonly loadedAtMs: number;
}

/** `null` where nothing is to be remembered. @throws {TypeError} when an option is not usable. */
export function parseSessionCache(
  options: SessionCacheOptions | undefined,
): { maxAgeMs: number; size: number } | null {
  const { maxAge = options === undefined ? '0s' : '1s', size = 10_000 } = options ?? {};
  const maxAgeMs = toMs(maxAge);
  if (maxAgeMs > 1000) throw new TypeError('sessions.cache.maxAge must be at most 1s');
  if (!Number.isInteger(size) || size < 1)
    throw new TypeError('sessions.cache.size must be a whole number of at least 1');
  return maxAgeMs === 0 ? null : { maxAgeMs, size };
}

/**
 * The age of an entry is the only bound, and it is measured here: no message from elsewhere is waited for, so there is
 * none that could be lost. What happens to an account in this process is seen at once, by `forget`.
 */
export function createSessionCache(options: {
  maxAgeMs: number;
  size: number;
  clock: Clock;
}): SessionCache {
  const { maxAgeMs, size, clock } = options;
  // In the order in which they came: as none is kept for long, the oldest is the least useful one.
  const entries = new Map<string, Entry>();
  const keysByUser = new Map<string, Set<string>>();
  let forgotten = 0;
  const isFresh = ({ loadedAtMs }: Entry) => clock.elapsedMs() - loadedAtMs < maxAgeMs;
  const remove = (key: string, { row }: Entry) => {
    entries.delete(key);
    const keys = keysByUser.get(row.user_id);
    keys?.delete(key);
    if (keys?.size === 0) keysByUser.delete(row.user_id);
  };
  const remember = (key: string, entry: Entry) => {
    const former = entries.get(key);
    if (former !== undefined) remove(key, former);
    entries.set(key, entry);
    const keys = keysByUser.get(entry.row.user_id);
    if (keys === undefined) keysByUser.set(entry.row.user_id, new Set([key]));
    else keys.add(key);
    for (const [oldest, each] of entries) {
      if (entries.size <= size && isFresh(each)) break;
      remove(oldest, each);
    }
  };
  return {
    async find(tokenHash, load) {
      const key = Buffer.from(tokenHash).toString('base64');
      const known = entries.get(key);
      if (known !== undefined && isFresh(known) && isAlive(known.row, clock.now()))
        return known.row;
      // From before the look-up: what ended while it was under way may or may not be in its answer.
      const [loadedAtMs, before] = [clock.elapsedMs(), forgotten];
      const row = await load();
      if (row !== undefined && forgotten === before) remember(key, { row, loadedAtMs });
      return row;
    },
    forget(userId) {
      forgotten += 1;
      for (const key of keysByUser.get(userId) ?? []) entries.delete(key);
      keysByUser.delete(userId);
    },
    get size() {
      return entries.size;
    },
  };
}

// Whether it has ended by now is for the database to say: another process may have seen it used.
function isAlive(row: LiveSessionRow, now: Date): boolean {
  const ends = [row.idle_expires_at, row.absolute_expires_at, row.access_expires_at];
  return ends.every((end) => end === null || end > now);
}
