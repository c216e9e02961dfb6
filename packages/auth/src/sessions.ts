import { type Clock, type NewId, type RandomBytes, randomToken, sha256 } from '@svc/core';
import type { Db } from '@svc/db';
import { sql } from 'kysely';
import { InvalidCredentials } from './failures.ts';
import { createFindLiveSession } from './live-sessions.ts';
import { isTokenShaped } from './one-time-tokens.ts';
import { cleanOrigin, type Origin } from './origin.ts';
import type { Principal, PrincipalOf } from './principal.ts';
import { type SessionRow, tablesOf } from './tables.ts';

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
  origin: Origin;
}

/** What a person proved anew in a session that they have. */
export interface Proof {
  method: AuthMethod;
  level: 1 | 2;
}

export interface Sessions {
  /** Opens a session. @throws {InvalidCredentials} when the password or the user changed since they were checked. */
  open(trx: Db, session: NewSession): Promise<{ token: string; session: Session }>;
  /** Whose session it is, while it is alive; that it was used is noted at most once a minute. */
  find(db: Db, token: string): Promise<Principal | null>;
  /** A new token for a session; the former one is dead. `proof` is what somebody proved in it now, if they did. `null` when it has ended. */
  renew(
    trx: Db,
    sessionId: string,
    proof: Proof | null,
  ): Promise<{ token: string; session: Session } | null>;
  /** Ends the session of a token. Nothing comes back when it had ended. */
  revoke(db: Db, token: string, reason: RevokeReason): Promise<SessionRow | undefined>;
  /** Ends all sessions of a user, but one where that is named, and answers how many that were. */
  revokeAll(db: Db, userId: string, reason: RevokeReason, exceptId?: string): Promise<number>;
}

export interface SessionsOptions {
  idleMs: number;
  absoluteMs: number;
  principalOf: PrincipalOf;
  clock: Clock;
  newId: NewId;
  random: RandomBytes;
}

const touchEveryMs = 60_000;

export function createSessions({
  idleMs,
  absoluteMs,
  principalOf,
  clock,
  newId,
  random,
}: SessionsOptions): Sessions {
  const idleEnd = (now: Date, absolute: Date) =>
    new Date(Math.min(now.getTime() + idleMs, absolute.getTime()));
  const findLive = createFindLiveSession(clock);
  return {
    async open(trx, { userId, credentialVersion, level, methods, origin }) {
      await lockCredential(trx, userId, credentialVersion);
      const { device, address } = cleanOrigin(origin);
      const token = randomToken(32, random);
      const now = clock.now();
      const absolute = new Date(now.getTime() + absoluteMs);
      const row = await tablesOf(trx)
        .insertInto('svc_auth.sessions')
        .values({
          id: newId(),
          user_id: userId,
          token_hash: sha256(token),
          device: device ?? null,
          address: address ?? null,
          level,
          methods: [...methods],
          authenticated_at: now,
          second_factor_at: level === 2 ? now : null,
          created_at: now,
          last_seen_at: now,
          idle_expires_at: idleEnd(now, absolute),
          absolute_expires_at: absolute,
        })
        .returningAll()
        .executeTakeFirstOrThrow();
      return { token, session: toSession(row) };
    },
    async find(db, token) {
      if (!isTokenShaped(token)) return null;
      const now = clock.now();
      const row = await findLive(db, sha256(token));
      if (row === undefined) return null;
      const seen = { last_seen_at: now, idle_expires_at: idleEnd(now, row.absolute_expires_at) };
      const due = now.getTime() - row.last_seen_at.getTime() >= touchEveryMs;
      if (due) await touch(db, row.id, seen);
      const user = { ...row, id: row.user_id, created_at: row.user_created_at };
      return principalOf(user, { session: toSession(due ? { ...row, ...seen } : row) });
    },
    async renew(trx, sessionId, proof) {
      const token = randomToken(32, random);
      const row = await tablesOf(trx)
        .updateTable('svc_auth.sessions')
        .set({
          token_hash: sha256(token),
          ...(proof !== null && shownNow(proof, clock.now())),
        })
        .where('id', '=', sessionId)
        .where('revoked_at', 'is', null)
        .returningAll()
        .executeTakeFirst();
      return row === undefined ? null : { token, session: toSession(row) };
    },
    revoke: (db, token, reason) => revokeByHash(db, sha256(token), reason, clock.now()),
    revokeAll: async (db, userId, reason, exceptId) =>
      (await endSessions(db, { userId, exceptId }, reason, clock.now())).length,
  };
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
