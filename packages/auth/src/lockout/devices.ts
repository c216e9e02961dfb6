import { type Clock, type NewId, type RandomBytes, randomToken, sha256 } from '@svc/core';
import type { Db } from '@svc/db';
import { isTokenShaped } from '../one-time-tokens.ts';
import { cleanOrigin, type Origin } from '../origin.ts';
import { type DeviceRow, tablesOf } from '../tables.ts';

/** Browsers keep no cookie longer (RFC 6265bis 5.5). */
export const deviceTtlMs = 400 * 24 * 60 * 60_000;

/**
 * Browsers in which a user has signed in before, known by a cookie (OWASP, "Slow Down Online Guessing Attacks with Device
 * Cookies"). One signs nobody in: it only says whose failures are counted apart, and where no second factor is asked for.
 */
export interface Devices {
  /** Whose device a cookie names, if it does. */
  find(db: Db, token: string | null | undefined): Promise<DeviceRow | null>;
  /** Whether no second factor is asked of this user in it. */
  isTrusted(db: Db, userId: string, token: string | null | undefined): Promise<boolean>;
  /**
   * Notes a sign-in, with the token of a new device where the client keeps a cookie and has none of this user. A cookie
   * of another user is replaced, never taken over: somebody else may know it.
   */
  remember(
    trx: Db,
    userId: string,
    origin: Origin,
    trust: boolean,
  ): Promise<{ id: string; newToken: string | null; isTrusted: boolean } | null>;
  /** Deletes those that no browser has any more and answers how many. */
  purge(db: Db): Promise<number>;
}

export function createDevices(options: {
  /** How long no second factor is asked for; 0 for always asking. */
  trustMs: number;
  clock: Clock;
  newId: NewId;
  random: RandomBytes;
}): Devices {
  const { trustMs, clock, newId, random } = options;
  const oldestAlive = () => new Date(clock.now().getTime() - deviceTtlMs);
  const find: Devices['find'] = async (db, token) => {
    if (typeof token !== 'string' || !isTokenShaped(token)) return null;
    const row = await tablesOf(db)
      .selectFrom('svc_auth.devices')
      .selectAll()
      .where('token_hash', '=', sha256(token))
      .where('last_seen_at', '>', oldestAlive())
      .executeTakeFirst();
    return row ?? null;
  };
  return {
    find,
    async isTrusted(db, userId, token) {
      const device = await find(db, token);
      if (device === null || device.user_id !== userId || trustMs === 0) return false;
      return device.trusted_until !== null && device.trusted_until > clock.now();
    },
    async remember(trx, userId, origin, trust) {
      const { deviceToken: presented, device: name = null } = cleanOrigin(origin);
      if (presented === undefined) return null;
      const now = clock.now();
      const isTrusted = trust && trustMs > 0;
      const seen = {
        name,
        last_seen_at: now,
        ...(isTrusted && { trusted_until: new Date(now.getTime() + trustMs) }),
      };
      const known = await tablesOf(trx)
        .updateTable('svc_auth.devices')
        .set(seen)
        .where('token_hash', '=', sha256(presented ?? ''))
        .where('user_id', '=', userId)
        .where('last_seen_at', '>', oldestAlive())
        .returning('id')
        .executeTakeFirst();
      if (known !== undefined) return { id: known.id, newToken: null, isTrusted };
      const [id, token] = [newId(), randomToken(32, random)];
      await tablesOf(trx)
        .insertInto('svc_auth.devices')
        .values({ id, user_id: userId, token_hash: sha256(token), created_at: now, ...seen })
        .execute();
      return { id, newToken: token, isTrusted };
    },
    async purge(db) {
      const result = await tablesOf(db)
        .deleteFrom('svc_auth.devices')
        .where('last_seen_at', '<', oldestAlive())
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

/**
 * Forgets all devices of a user, and with them every trust, and answers how many: when a password or a second factor
 * changes. In the transaction of the change, after what it writes: a sign-in under way finishes before.
 */
export async function forgetDevices(trx: Db, userId: string): Promise<number> {
  const result = await tablesOf(trx)
    .deleteFrom('svc_auth.devices')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return Number(result.numDeletedRows);
}
