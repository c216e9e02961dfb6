import type { Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext } from '../context.ts';
import type { Origin } from '../origin.ts';
import { queueNotice } from '../security-notice.ts';
import { findUser, lockUser } from '../users.ts';
import { useRecoveryCode } from './recovery-codes.ts';
import { type CodeFault, codesOf, isLocked } from './refusals.ts';
import { useTotpCode } from './totp.ts';

/** A code that somebody typed. */
export interface TypedCode {
  method: 'totp' | 'recovery_code';
  code: string;
}

/**
 * Uses a code up, whichever sign-in or session it is for. Those who try on one account wait for each other, so that no
 * burst gets more tries than the limit allows.
 */
export async function useCode(
  context: AuthContext,
  trx: Trx,
  userId: string,
  { method, code }: TypedCode,
  origin: Origin = {},
): Promise<CodeFault | null> {
  await lockUser(trx, userId);
  if (await isLocked(context, trx, codesOf(userId))) return 'locked';
  const use = method === 'totp' ? useTotpCode : useRecoveryCode;
  const fault = await use(context, trx, userId, code);
  if (fault !== null) return fault;
  await context.throttles.clear(trx, [codesOf(userId)]);
  if (method === 'recovery_code') await tellOfRecoveryCode(context, trx, userId, origin);
  return null;
}

async function tellOfRecoveryCode(
  context: AuthContext,
  trx: Trx,
  userId: string,
  origin: Origin,
): Promise<void> {
  const { email } = await findUser(trx, userId);
  await record(context, trx, { type: 'auth.mfa.recovery_code_used', userId }, origin);
  await queueNotice(context, trx, { id: userId, email }, 'recovery_code_used');
}
