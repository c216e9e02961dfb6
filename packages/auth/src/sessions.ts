import { type Clock, type NewId, type RandomBytes, randomToken, sha256 } from '@svc/core';
import type { Db } from '@svc/db';
import { sql, type UpdateObject } from 'kysely';
import { InvalidCredentials } from './failures.ts';
import { createFindLiveSession } from './live-sessions.ts';
import { isTokenShaped } from './one-time-tokens.ts';
import { cleanOrigin, type Origin } from './origin.ts';
import type { Principal, PrincipalOf } from './principal.ts';
import type { RefreshFamilies, RefreshFamily, RefreshPair } from './refresh/families.ts';
import type { Refreshed } from './refresh/refresh.ts';
import type { SessionCache } from './session-cache.ts';
import { type AuthTables, type SessionRow, tablesOf } from './tables.ts';

/** A signed-in device. */
export interface Session {
  readonly id: string;
  /** When the person proved who they are. */
  readonly createdAt: Date;
  /** The last request seen, to the minute. */
  readonly lastSeenAt: Date;
  /** When it ends unless it is used before. */
  readonly expiresAt: Date;
  /** When it ends however much it is used. */
  readonly absoluteExpiresAt: Date;
  readonly device: string | null;
  readonly address: string | null;
  /** 2 once a second factor was shown in it. */
  readonly level: 1 | 2;
  /** How the person proved who they are. */
  readonly methods: readonly AuthMethod[];
  /** The last time they did. */
  readonly authenticatedAt: Date;
  /** The last time with a second factor. */
  readonly secondFactorAt: Date | null;
}

/** How somebody proves who they are; the names of RFC 8176 where it has one. */
export type AuthMethod = 'pwd' | 'otp' | 'recovery_code' | 'passkey' | 'federated';

export type RevokeReason =
  | 'logout'
  | 'replaced'
  | 'revoked'
  | 'password_reset'
  | 'password_changed'
  | 'email_changed'
  | 'disabled'
  | 'refresh_reused';

export interface NewSession {
  userId: string;
  /** Of the password that was checked; `null` where none was. */
  credentialVersion: number | null;
  level: 1 | 2;
  methods: readonly AuthMethod[];
  /** Whether it is kept by a refresh token, and its own token works for minutes. */
  refresh: boolean;
  origin: Origin;
}

/** What a client that refreshes gets beside the session's token. */
export interface RefreshGrant {
  /** When the session's token stops working. */
  readonly accessExpiresAt: Date;
  /** To be exchanged for the next pair of tokens. Given out here and never again. */
  readonly refreshToken: string;
  /** When it stops working unless the session is used before. */
  readonly refreshExpiresAt: Date;
}

/** A session with the token that is in force. */
export interface HeldSession {
  readonly token: string;
  readonly session: Session;
  /** `null` where the session is not kept by a refresh token. */
  readonly refresh: RefreshGrant | null;
}

/** What a person proved anew in a session that they have. */
export interface Proof {
  method: AuthMethod;
  level: 1 | 2;
}

export interface Sessions {
  /** Opens a session. @throws {InvalidCredentials} when the password or the user changed since they were checked. */
  open(trx: Db, session: NewSession): Promise<HeldSession>;
  /** Whose session it is, while it is alive; that it was used is noted at most once a minute. */
  find(db: Db, token: string): Promise<Principal | null>;
  /** A new token for a session; the former one is dead. `proof` is what somebody proved in it now, if they did. `null` when it has ended. */
  renew(trx: Db, sessionId: string, proof: Proof | null): Promise<HeldSession | null>;
  /** Puts the next pair of tokens in force; the former token is dead. The caller holds the row. */
  refresh(trx: Db, row: SessionRow, family: RefreshFamily): Promise<Refreshed>;
  /** What `refresh` answered last. */
  again(row: SessionRow, family: RefreshFamily): Refreshed;
  /** Ends the session of a token. Nothing comes back when it had ended. */
  revoke(db: Db, token: string, reason: RevokeReason): Promise<SessionRow | undefined>;
  /** Ends all sessions of a user, but one where that is named, and answers how many that were. */
  revokeAll(db: Db, userId: string, reason: RevokeReason, exceptId?: string): Promise<number>;
  /** Looks at the sessions of a user anew, where this process remembers them. */
  forget(userId: string): void;
}

export interface SessionsOptions {
  idleMs: number;
  absoluteMs: number;
  /** How long the token of a session works that is kept by a refresh token. */
  accessTtlMs: number;
  families: RefreshFamilies;
  cache: SessionCache | undefined;
  principalOf: PrincipalOf;
  clock: Clock;
  newId: NewId;
  random: RandomBytes;
}

const touchEveryMs = 60_000;

export function createSessions({
  idleMs,
  absoluteMs,
  accessTtlMs,
  families,
  cache,
  principalOf,
  clock,
  newId,
  random,
}: SessionsOptions): Sessions {
  const endAt = (now: Date, afterMs: number, absolute: Date) =>
    new Date(Math.min(now.getTime() + afterMs, absolute.getTime()));
  const seenAt = (now: Date, absolute: Date) => ({
    last_seen_at: now,
    idle_expires_at: endAt(now, idleMs, absolute),
  });
  const findLive = createFindLiveSession(clock, cache);
  return {
    async open(trx, { userId, credentialVersion, level, methods, refresh, origin }) {
      await lockCredential(trx, userId, credentialVersion);
      const id = newId();
      const family = refresh ? families.begin(id) : null;
      const token = family?.pair.token ?? randomToken(32, random);
      const { device, address } = cleanOrigin(origin);
      const now = clock.now();
      const absolute = new Date(now.getTime() + absoluteMs);
      const row = await tablesOf(trx)
        .insertInto('svc_auth.sessions')
        .values({
          id,
          user_id: userId,
          token_hash: sha256(token),
          device: device ?? null,
          address: address ?? null,
          level,
          methods: [...methods],
          authenticated_at: now,
          second_factor_at: level === 2 ? now : null,
          created_at: now,
          ...seenAt(now, absolute),
          absolute_expires_at: absolute,
          access_expires_at: family === null ? null : endAt(now, accessTtlMs, absolute),
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      await family?.store(trx, now);
      return toHeld(row, family?.pair ?? { token });
    },
    async find(db, token) {
      if (!isTokenShaped(token)) return null;
      const now = clock.now();
      const row = await findLive(db, sha256(token));
      if (row === undefined) return null;
      const seen = seenAt(now, row.absolute_expires_at);
      const due = now.getTime() - row.last_seen_at.getTime() >= touchEveryMs;
      if (due) {
        await touch(db, row.id, seen);
        cache?.forget(row.user_id);
      }
      const user = { ...row, id: row.user_id, created_at: row.user_created_at };
      return principalOf(user, { session: toSession(due ? { ...row, ...seen } : row) });
    },
    async renew(trx, sessionId, proof) {
      const now = clock.now();
      const held = await lockAlive(trx, sessionId);
      if (held === undefined) return null;
      const family = held.access_expires_at && (await families.find(trx, sessionId));
      const pair = await family?.advance(trx, 'renewal', now);
      const token = pair?.token ?? randomToken(32, random);
      const row = await replaceToken(trx, sessionId, token, {
        ...(pair && { access_expires_at: endAt(now, accessTtlMs, held.absolute_expires_at) }),
        ...(proof !== null && shownNow(proof, now)),
      });
      return toHeld(row, pair ?? { token });
    },
    async refresh(trx, { id, absolute_expires_at: absolute }, family) {
      const now = clock.now();
      const pair = await family.advance(trx, 'refresh', now);
      const row = await replaceToken(trx, id, pair.token, {
        ...seenAt(now, absolute),
        access_expires_at: endAt(now, accessTtlMs, absolute),
      });
      return toRefreshed(row, pair);
    },
    again: (row, family) => toRefreshed(row, family.pair),
    revoke: (db, token, reason) => revokeByHash(db, sha256(token), reason, clock.now()),
    forget: (userId) => cache?.forget(userId),
    revokeAll: async (db, userId, reason, exceptId) =>
      (await endSessions(db, { userId, exceptId }, reason, clock.now())).length,
  };
}

function toRefreshed(row: SessionRow, pair: RefreshPair): Refreshed {
  const refresh = {
    // Every session with a family has one.
    accessExpiresAt: row.access_expires_at as Date,
    refreshToken: pair.refreshToken,
    refreshExpiresAt: row.idle_expires_at,
  };
  return { token: pair.token, session: toSession(row), refresh };
}

const toHeld = (row: SessionRow, made: RefreshPair | { token: string }): HeldSession =>
  'refreshToken' in made
    ? toRefreshed(row, made)
    : { token: made.token, session: toSession(row), refresh: null };

function lockAlive(trx: Db, sessionId: string): Promise<SessionRow | undefined> {
  return tablesOf(trx)
    .selectFrom('svc_auth.sessions')
    .selectAll()
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .forUpdate()
    .executeTakeFirst();
}

function replaceToken(
  trx: Db,
  sessionId: string,
  token: string,
  set: UpdateObject<AuthTables, 'svc_auth.sessions'>,
): Promise<SessionRow> {
  return tablesOf(trx)
    .updateTable('svc_auth.sessions')
    .set({ ...set, token_hash: sha256(token) })
    .where('id', '=', sessionId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

function shownNow({ method, level }: Proof, now: Date) {
  return {
    level: sql<1 | 2>`greatest(level, ${level}::smallint)`,
    methods: sql<string[]>`array_append(array_remove(methods, ${method}), ${method})`,
    authenticated_at: now,
    ...(level === 2 && { second_factor_at: now }),
  };
}

// Without this lock, a login that checked the old password could open a session just after a reset ended all of them.
// A reset writes the same row, so one waits for the other and sees what it did.
async function lockCredential(trx: Db, userId: string, version: number | null): Promise<void> {
  const users = tablesOf(trx)
    .selectFrom('svc_auth.users as u')
    .select('u.id')
    .where('u.id', '=', userId)
    .where('u.disabled_at', 'is', null)
    .where('u.verified_at', 'is not', null)
    .forShare();
  const row = await (
    version === null
      ? users
      : users
          .innerJoin('svc_auth.password_credentials as c', 'c.user_id', 'u.id')
          .where('c.version', '=', version)
  ).executeTakeFirst();
  if (row === undefined) throw new InvalidCredentials();
}

async function touch(
  db: Db,
  id: string,
  seen: Pick<SessionRow, 'last_seen_at' | 'idle_expires_at'>,
): Promise<void> {
  await tablesOf(db)
    .updateTable('svc_auth.sessions')
    .set(seen)
    .where('id', '=', id)
    .where('revoked_at', 'is', null)
    // Of the requests of one moment, the first writes.
    .where('last_seen_at', '<=', new Date(seen.last_seen_at.getTime() - touchEveryMs))
    .execute();
}

function revokeByHash(db: Db, tokenHash: Uint8Array, reason: RevokeReason, now: Date) {
  return tablesOf(db)
    .updateTable('svc_auth.sessions')
    .set({ revoked_at: now, revoke_reason: reason })
    .where('token_hash', '=', tokenHash)
    .where('revoked_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Ends sessions of a user: all, only one, or all but one; answers which. */
export async function endSessions(
  db: Db,
  { userId, onlyId, exceptId }: { userId: string; onlyId?: string; exceptId?: string | undefined },
  reason: RevokeReason,
  now: Date,
): Promise<readonly string[]> {
  const ended = await tablesOf(db)
    .updateTable('svc_auth.sessions')
    .set({ revoked_at: now, revoke_reason: reason })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .$if(onlyId !== undefined, (query) => query.where('id', '=', onlyId as string))
    .$if(exceptId !== undefined, (query) => query.where('id', '!=', exceptId as string))
    .returning('id')
    .execute();
  return ended.map(({ id }) => id);
}

export function toSession(row: SessionRow): Session {
  return {
    id: row.id,
    createdAt: row.created_at,
    lastSeenAt: row.last_seen_at,
    expiresAt: row.idle_expires_at,
    absoluteExpiresAt: row.absolute_expires_at,
    device: row.device,
    address: row.address,
    level: row.level,
    methods: row.methods as AuthMethod[],
    authenticatedAt: row.authenticated_at,
    secondFactorAt: row.second_factor_at,
  };
}
