import { ValidationFailed } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidRefreshToken } from '../failures.ts';
import { demandTenant } from '../identity-scope.ts';
import type { Origin } from '../origin.ts';
import { queueNotice } from '../security-notice.ts';
import type { RefreshGrant, Session } from '../sessions.ts';
import { type RefreshFamilyRow, type SessionRow, tablesOf } from '../tables.ts';
import { findUser } from '../users.ts';
import { parseRefreshToken, type RefreshTokenParts } from './refresh-tokens.ts';

/** A session with its next pair of tokens; the former token is dead. */
export interface Refreshed {
  /** Given out here, and once more to who repeats the request within 10 seconds. */
  readonly token: string;
  readonly session: Session;
  readonly refresh: RefreshGrant;
}

/** How long the former token gets the same answer again, from clients that lost theirs or asked several times at once. */
export const refreshGraceMs = 10_000;

// In a transaction of its own: that a token was used twice must stay noted, whatever becomes of the caller's.
export async function refresh(
  context: AuthContext,
  input: { refreshToken: string },
  { origin }: Pick<WriteOptions, 'origin'> = {},
): Promise<Refreshed> {
  const parts = context.refresh.isEnabled ? parseRefreshToken(input.refreshToken) : null;
  if (parts === null) throw new InvalidRefreshToken();
  const refreshed = await transact(
    context.db,
    (trx) => exchange(context, trx, parts, origin),
    // Under a stricter one, of many at once all but one would fail.
    { isolation: 'read committed' },
  );
  if (refreshed === null) throw new InvalidRefreshToken();
  return refreshed;
}

/** For sign-ins by clients that want a refresh token. @throws {ValidationFailed} where the app hands none out */
export function assertRefreshable(context: AuthContext, refreshed: boolean | undefined): void {
  if (refreshed !== true || context.refresh.isEnabled) return;
  throw new ValidationFailed([
    { pointer: '/transport', code: 'transport', message: 'There are no refresh tokens here.' },
  ]);
}

/** What a token that was handed out once means now. */
export type RefreshVerdict = 'newest' | 'repeated' | 'superseded' | 'reused';

/**
 * RFC 9700 4.14.2: a token that comes after its successor was used is in two hands. Its successor counts as used when it
 * was exchanged itself; that its access token was used does not count, or one of several requests at once would end the
 * session for all. Where somebody proved anew who they are, the former token gets nothing, but is no alarm as early as that.
 */
export function judgeRefresh(
  family: Pick<RefreshFamilyRow, 'generation' | 'rotated_at' | 'rotated_by'>,
  generation: number,
  now: Date,
): RefreshVerdict {
  if (generation === family.generation) return 'newest';
  const isParent = generation === family.generation - 1;
  if (!isParent || now.getTime() - family.rotated_at.getTime() > refreshGraceMs) return 'reused';
  return family.rotated_by === 'refresh' ? 'repeated' : 'superseded';
}

async function exchange(
  context: AuthContext,
  trx: Trx,
  parts: RefreshTokenParts,
  origin: Origin = {},
): Promise<Refreshed | null> {
  const now = context.clock.now();
  // Of many at once, one goes first, and the others see what it did.
  const session = await lockSession(trx, parts.sessionId, now);
  const family = session && (await context.refresh.families.find(trx, session.id));
  if (session === undefined || !family?.hasIssued(parts)) return null;
  const { user_id: userId } = session;
  const user = await findUser(trx, userId);
  // At the door of another tenant it is like one that was made up.
  if (user.disabled_at !== null || user.tenant_id !== demandTenant(context, origin)) return null;
  const { generation } = family.row;
  switch (judgeRefresh(family.row, parts.generation, now)) {
    case 'newest': {
      const details = { sessionId: session.id, generation: generation + 1 };
      await record(context, trx, { type: 'auth.session.refreshed', userId, details }, origin);
      return context.sessions.refresh(trx, session, family);
    }
    case 'repeated':
      return context.sessions.again(session, family);
    case 'superseded':
      return null;
    case 'reused': {
      await endSession(trx, session.id, now);
      const details = { sessionId: session.id, generation: parts.generation, newest: generation };
      const act = { type: 'auth.session.refresh_reused', outcome: 'denied', userId } as const;
      const actor = { type: 'anonymous', id: null } as const;
      await record(context, trx, { ...act, actor, details }, origin);
      await queueNotice(context, trx, user, 'session_suspected');
      return null;
    }
  }
}

function lockSession(trx: Trx, sessionId: string, now: Date): Promise<SessionRow | undefined> {
  return tablesOf(trx)
    .selectFrom('svc_auth.sessions')
    .selectAll()
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .where('idle_expires_at', '>', now)
    .where('absolute_expires_at', '>', now)
    .forUpdate()
    .executeTakeFirst();
}

async function endSession(trx: Trx, sessionId: string, now: Date): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_auth.sessions')
    .set({ revoked_at: now, revoke_reason: 'refresh_reused' })
    .where('id', '=', sessionId)
    .execute();
}
