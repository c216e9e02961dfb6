import { afterEnd, type Trx } from '@svc/db';
import { type AuthActType, record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import type { ThrottleKey } from '../lockout/throttles.ts';
import type { Origin } from '../origin.ts';
import { queueNotice } from '../security-notice.ts';
import { findUser } from '../users.ts';

/** Why a code was refused. For operators; the person who tries is never told. */
export type CodeFault = 'wrong_code' | 'replayed' | 'no_factor' | 'locked';

/** Counts wrong codes of an account, over all its sessions and challenges. */
export const codesOf = (userId: string): ThrottleKey => ({ kind: 'second_factor', value: userId });

/** Counts wrong passwords in sessions. Apart from sign-in, so that a stranger's guesses there do not keep the owner from this. */
export const passwordsOf = (userId: string): ThrottleKey => ({
  kind: 'second_factor',
  value: `password:${userId}`,
});

/** Whether who tries has to wait. */
export async function isLocked(
  context: AuthContext,
  trx: Trx,
  counter: ThrottleKey,
): Promise<boolean> {
  return (await context.throttles.lockedUntil(trx, [counter])) !== null;
}

export interface Refusal {
  userId: string;
  type: Extract<AuthActType, 'auth.mfa.failed' | 'auth.step_up.failed' | 'auth.password.changed'>;
  reason: CodeFault | 'wrong_password';
  method: string;
  /** @default codesOf(userId) */
  counter?: ThrottleKey;
  /** The challenge that it was an answer to. */
  challengeId?: string;
}

/**
 * Counts and records a refusal; answers `null`, to be handed through the transaction, which must commit, and thrown
 * behind it. What is counted outlives a rollback of the caller's transaction.
 */
export async function refuse(
  context: AuthContext,
  trx: Trx,
  { userId, type, reason, method, counter = codesOf(userId), challengeId }: Refusal,
  { within, origin }: WriteOptions,
): Promise<null> {
  if (challengeId !== undefined) {
    if (within === undefined) await context.challenges.countFailure(trx, challengeId);
    else afterEnd(within, () => context.challenges.countFailure(context.db, challengeId));
  }
  // A code that was right once is no guess, and a lock must not grow by itself.
  if (reason !== 'replayed' && reason !== 'locked') {
    const db = within === undefined ? trx : context.db;
    await context.throttles.countFailure(db, [counter], { within }, async (counting, locks) => {
      if (locks.length > 0) await tellOfLock(context, counting, userId, origin);
    });
  }
  const details = { reason, method };
  await record(context, trx, { type, outcome: 'failure', userId, details }, origin);
  return null;
}

// Whoever guesses codes knows the password, or has a session: its owner must hear of it.
async function tellOfLock(context: AuthContext, trx: Trx, userId: string, origin: Origin = {}) {
  const { email } = await findUser(trx, userId);
  const details = { kind: 'second_factor' };
  await record(context, trx, { type: 'auth.login.locked', userId, details }, origin);
  await queueNotice(context, trx, { id: userId, email }, 'account_locked');
}
