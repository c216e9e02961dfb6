import { isUuid } from '@svc/core';
import { transact } from '@svc/db';
import { type Actor, record } from './acts.ts';
import type { AuthContext, WriteOptions } from './context.ts';
import { SessionNotFound } from './failures.ts';
import { actorOf, type Principal, sessionOf } from './principal.ts';
import { endSessions, type Session, toSession } from './sessions.ts';
import { tablesOf } from './tables.ts';

/** A session in a list. */
export interface ListedSession extends Session {
  /** Whether it is the one that asks. */
  readonly current: boolean;
}

/** A user's sessions: for the user, in a session, and for staff who may do that. Ended ones stay in the table, for audit. @throws {AccessDenied} for an API key */
export interface SessionManagement {
  /** Those that are alive, newest first, at most 100. */
  list(principal: Principal): Promise<readonly ListedSession[]>;
  /** Ends one of one's own; it is refused on its next request, on every process. @throws {SessionNotFound} */
  revoke(principal: Principal, sessionId: string, options?: WriteOptions): Promise<void>;
  /** Ends all but the one that asks, and answers how many. */
  revokeOthers(principal: Principal, options?: WriteOptions): Promise<number>;
  /** Ends all, the one that asks too, and answers how many. */
  revokeAll(principal: Principal, options?: WriteOptions): Promise<number>;
  /** Those of anybody; the caller has checked `security.session.list`. */
  listOf(userId: string): Promise<readonly Session[]>;
  /** Ends all of anybody; the caller has checked `security.session.revoke`. */
  revokeAllOf(userId: string, actor: Actor, options?: WriteOptions): Promise<number>;
}

const listLimit = 100;

export function createSessionManagement(context: AuthContext): SessionManagement {
  const end = (
    userId: string,
    which: { onlyId?: string; exceptId?: string },
    actor: Actor,
    { within, origin }: WriteOptions = {},
  ) =>
    transact(within ?? context.db, async (trx) => {
      const ended = await endSessions(trx, { userId, ...which }, 'revoked', context.clock.now());
      for (const id of ended) {
        const details = { sessionId: id, reason: 'revoked' };
        await record(
          context,
          trx,
          { type: 'auth.session.revoked', userId, actor, details },
          origin,
        );
      }
      return ended.length;
    });
  return {
    async list(principal) {
      const { id } = sessionOf(principal);
      const sessions = await alive(context, principal.userId);
      return sessions.map((session) => ({ ...session, current: session.id === id }));
    },
    async revoke(principal, sessionId, options) {
      sessionOf(principal);
      if (!isUuid(sessionId)) throw new SessionNotFound();
      const ended = await end(principal.userId, { onlyId: sessionId }, actorOf(principal), options);
      if (ended === 0) throw new SessionNotFound();
    },
    async revokeOthers(principal, options) {
      const { id } = sessionOf(principal);
      return end(principal.userId, { exceptId: id }, actorOf(principal), options);
    },
    async revokeAll(principal, options) {
      sessionOf(principal);
      return end(principal.userId, {}, actorOf(principal), options);
    },
    listOf: (userId) => alive(context, userId),
    revokeAllOf: (userId, actor, options) => end(userId, {}, actor, options),
  };
}

async function alive({ db, clock }: AuthContext, userId: string): Promise<readonly Session[]> {
  const now = clock.now();
  const rows = await tablesOf(db)
    .selectFrom('svc_auth.sessions')
    .selectAll()
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('idle_expires_at', '>', now)
    .where('absolute_expires_at', '>', now)
    .orderBy('id', 'desc')
    .limit(listLimit)
    .execute();
  return rows.map(toSession);
}
