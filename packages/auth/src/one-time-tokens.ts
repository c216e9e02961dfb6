import { sql } from 'kysely';
import { type Clock, type NewId, type RandomBytes, randomToken, sha256 } from '@svc/core';
import type { Db } from '@svc/db';
import { type OneTimeTokenRow, tablesOf } from './tables.ts';

export type TokenPurpose = 'verify' | 'reset_password' | 'change_email';

/** How long a mailed link works. 30 minutes for a password (OWASP: 15 to 60); a day to confirm the address of a registration, an hour to confirm another one. */
export const tokenTtlMs: Record<TokenPurpose, number> = {
  verify: 24 * 60 * 60_000,
  reset_password: 30 * 60_000,
  change_email: 60 * 60_000,
};

// A registration is taken up again by signing in, which mails a new link; not for ever, as a password and a name wait in it.
const keepMs = 30 * 24 * 60 * 60_000;

/** What waits for an address to be confirmed: a registration's password and name, or the address of somebody who has another. */
export interface Pending {
  readonly phc?: string;
  readonly name?: string | null;
  readonly email?: string;
  /** How long it waits. @default as long as a link of its purpose works */
  readonly waitsMs?: number;
}

export interface TokenHolder {
  readonly userId: string;
  readonly email: string;
  readonly name: string | null;
}

/**
 * Tokens that work once. At most one per user and purpose is alive: a newer one takes the place of the older. They are
 * made when their mail is sent, so that no queue holds any; what they confirm waits without one until then. Whoever
 * makes one holds the user's row.
 */
export interface OneTimeTokens {
  /** Keeps what waits for an address to be confirmed. A former link stops working. */
  wait(db: Db, purpose: 'verify' | 'change_email', userId: string, pending: Pending): Promise<void>;
  /** What waits, in time or not. */
  waiting(
    db: Db,
    purpose: 'verify' | 'change_email',
    userId: string,
  ): Promise<OneTimeTokenRow | undefined>;
  /** A new token for what waits. */
  mint(db: Db, row: OneTimeTokenRow): Promise<string>;
  /** A new token for which nothing waits. */
  issue(db: Db, purpose: 'reset_password', userId: string): Promise<string>;
  /** Whose token it is, if it would be accepted now, at this tenant's door. */
  holderOf(
    db: Db,
    purpose: TokenPurpose,
    token: string,
    tenantId: string | null,
  ): Promise<TokenHolder | undefined>;
  /** Uses the token up; of any number at once, one gets the row and the others `null`. */
  consume(db: Db, purpose: TokenPurpose, token: string): Promise<OneTimeTokenRow | null>;
  /** Whether one was used after this moment. */
  isUsedSince(db: Db, purpose: TokenPurpose, userId: string, since: Date): Promise<boolean>;
  /** Voids the unused tokens of these purposes. */
  forget(db: Db, userId: string, purposes: readonly TokenPurpose[]): Promise<void>;
  /** Forgets what registrations of this user wait, and their links. */
  forgetPending(db: Db, userId: string): Promise<void>;
  /** Deletes those that stopped working 30 days ago, with what waited for them, and answers how many. */
  purge(db: Db): Promise<number>;
}

/** Whether a text can be a token of ours: 256 bits in base64url. Spares the database what is junk. */
export function isTokenShaped(token: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(token);
}

export function createOneTimeTokens(options: {
  clock: Clock;
  newId: NewId;
  random: RandomBytes;
}): OneTimeTokens {
  const { clock, newId, random } = options;
  const lifetime = (ttlMs: number) => {
    const now = clock.now();
    return { created_at: now, expires_at: new Date(now.getTime() + ttlMs) };
  };
  /** Puts a row in the place of the unused one of its user and purpose. */
  const put = (
    db: Db,
    row: Omit<OneTimeTokenRow, 'id' | 'used_at' | `pending_${string}`> & Omit<Pending, 'waitsMs'>,
  ) => {
    const { user_id, purpose, phc = null, name = null, email = null, ...rest } = row;
    const pending = { pending_password: phc, pending_name: name, pending_email: email };
    const values = { ...rest, ...pending };
    return tablesOf(db)
      .insertInto('svc_auth.one_time_tokens')
      .values({ id: newId(), user_id, purpose, ...values, used_at: null })
      .onConflict((conflict) =>
        conflict
          .columns(['user_id', 'purpose'])
          .where('used_at', 'is', null)
          .doUpdateSet({ ...values, ...unlessContested(row.created_at) }),
      )
      .execute();
  };
  return {
    async wait(db, purpose, userId, { waitsMs = tokenTtlMs[purpose], ...pending }) {
      const row = { user_id: userId, purpose, token_hash: null };
      await put(db, { ...row, ...lifetime(waitsMs), ...pending });
    },
    waiting: (db, purpose, userId) =>
      tablesOf(db)
        .selectFrom('svc_auth.one_time_tokens')
        .selectAll()
        .where('user_id', '=', userId)
        .where('purpose', '=', purpose)
        .where('used_at', 'is', null)
        .executeTakeFirst(),
    async mint(db, { id, purpose }) {
      const token = randomToken(32, random);
      const times = lifetime(tokenTtlMs[purpose as TokenPurpose]);
      await tablesOf(db)
        .updateTable('svc_auth.one_time_tokens')
        .set({ token_hash: sha256(token), ...times, ...unlessExpired(times.created_at) })
        .where('id', '=', id)
        .execute();
      return token;
    },
    async issue(db, purpose, userId) {
      const token = randomToken(32, random);
      const row = { user_id: userId, purpose, token_hash: sha256(token) };
      await put(db, { ...row, ...lifetime(tokenTtlMs[purpose]) });
      return token;
    },
    async holderOf(db, purpose, token, tenantId) {
      if (!isTokenShaped(token)) return undefined;
      return tablesOf(db)
        .selectFrom('svc_auth.one_time_tokens as t')
        .innerJoin('svc_auth.users as u', 'u.id', 't.user_id')
        .select(['u.id as userId', 'u.email', 'u.name'])
        .where('t.token_hash', '=', sha256(token))
        .where('t.purpose', '=', purpose)
        .where('t.used_at', 'is', null)
        .where('t.expires_at', '>', clock.now())
        .where('u.tenant_id', 'is not distinct from', tenantId)
        .executeTakeFirst();
    },
    async consume(db, purpose, token) {
      if (!isTokenShaped(token)) return null;
      const now = clock.now();
      // One statement: who waits for the row's lock finds used_at set when it gets it.
      const row = await tablesOf(db)
        .updateTable('svc_auth.one_time_tokens')
        .set({ used_at: now })
        .where('token_hash', '=', sha256(token))
        .where('purpose', '=', purpose)
        .where('used_at', 'is', null)
        .where('expires_at', '>', now)
        .returningAll()
        .executeTakeFirst();
      return row ?? null;
    },
    async isUsedSince(db, purpose, userId, since) {
      const row = await tablesOf(db)
        .selectFrom('svc_auth.one_time_tokens')
        .select('id')
        .where('user_id', '=', userId)
        .where('purpose', '=', purpose)
        .where('used_at', '>', since)
        .limit(1)
        .executeTakeFirst();
      return row !== undefined;
    },
    forget: (db, userId, purposes) => deleteUnused(db, userId, purposes),
    async forgetPending(db, userId) {
      await deleteUnused(db, userId, ['verify']);
      await tablesOf(db)
        .updateTable('svc_auth.one_time_tokens')
        .set({ pending_password: null, pending_name: null })
        .where('user_id', '=', userId)
        .where('pending_password', 'is not', null)
        .execute();
    },
    async purge(db) {
      const result = await tablesOf(db)
        .deleteFrom('svc_auth.one_time_tokens')
        .where('expires_at', '<', new Date(clock.now().getTime() - keepMs))
        .executeTakeFirst();
      return Number(result.numDeletedRows);
    },
  };
}

async function deleteUnused(
  db: Db,
  userId: string,
  purposes: readonly TokenPurpose[],
): Promise<void> {
  await tablesOf(db)
    .deleteFrom('svc_auth.one_time_tokens')
    .where('user_id', '=', userId)
    .where('purpose', 'in', [...purposes])
    .where('used_at', 'is', null)
    .execute();
}

// What nobody confirmed in time was perhaps not the owner's wish. A new link, which anybody may ask for, does not
// bring its password back: who proves the mailbox chooses one.
function unlessExpired(now: Date) {
  const waits = sql<boolean>`expires_at > ${now}`;
  return {
    pending_password: sql<string | null>`case when ${waits} then pending_password end`,
    pending_name: sql<string | null>`case when ${waits} then pending_name end`,
  };
}

// Two registrations that wait for one address may come from two people, and the owner cannot tell by
// the mails which is whose. Then neither password counts: who proves the mailbox chooses one.
function unlessContested(now: Date) {
  const waits = sql<boolean>`one_time_tokens.expires_at > ${now}`;
  return {
    pending_password: sql<
      string | null
    >`case when ${waits} then null else excluded.pending_password end`,
    pending_name: sql<string | null>`case when ${waits} then null else excluded.pending_name end`,
  };
}
