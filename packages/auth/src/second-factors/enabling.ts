import type { Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext } from '../context.ts';
import type { Origin } from '../origin.ts';
import { tablesOf } from '../tables.ts';
import { lockUser } from '../users.ts';
import { replaceRecoveryCodes } from './recovery-codes.ts';
import { secondFactorsOf, setMfa } from './second-factors.ts';

/**
 * To be called when somebody has added a second factor, in the transaction that adds it: with the first one, two
 * factors are asked for from now on, and recovery codes are made, which are answered; with others, `null`.
 */
export async function enableMfa(
  context: AuthContext,
  trx: Trx,
  userId: string,
  origin: Origin = {},
): Promise<string[] | null> {
  const user = await lockUser(trx, userId);
  if (user.mfa_enabled_at !== null) return null;
  await setMfa(trx, userId, context.clock.now());
  // What a session without a second factor began may be a thief's: an app, a way to sign in, another address.
  await forgetEnrolments(trx, userId);
  await forgetChallenges(trx, userId);
  await context.tokens.forget(trx, userId, ['change_email']);
  const codes = await replaceRecoveryCodes(context, trx, userId);
  await record(context, trx, { type: 'auth.mfa.recovery_codes_made', userId }, origin);
  return codes;
}

/**
 * To be called when somebody has removed a second factor, in the transaction that removes it. No device is trusted any
 * more; with the last factor, recovery codes go and sessions fall back to level 1. Answers whether it was the last.
 */
export async function disableMfaIfLast(trx: Trx, userId: string): Promise<boolean> {
  const user = await lockUser(trx, userId);
  const tables = tablesOf(trx);
  await endTrust(trx, userId);
  if (user.mfa_enabled_at === null || (await secondFactorsOf(trx, userId)).length > 0) return false;
  await setMfa(trx, userId, null);
  await tables.deleteFrom('svc_auth.recovery_codes').where('user_id', '=', userId).execute();
  // A role that asks for a second factor must not outlive the factor for as long as a session does.
  await tables
    .updateTable('svc_auth.sessions')
    .set({ level: 1, second_factor_at: null })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .where('level', '=', 2)
    .execute();
  // Nor must it live on in a key.
  await tables
    .updateTable('svc_auth.api_keys')
    .set({ level: 1 })
    .where('user_id', '=', userId)
    .where('revoked_at', 'is', null)
    .execute();
  return true;
}

/** Ends the trust in all browsers of a user, because what they stood in for is not what it was. */
export async function endTrust(trx: Trx, userId: string): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_auth.devices')
    .set({ trusted_until: null })
    .where('user_id', '=', userId)
    .where('trusted_until', 'is not', null)
    .execute();
}

async function forgetChallenges(trx: Trx, userId: string): Promise<void> {
  await tablesOf(trx)
    .deleteFrom('svc_auth.challenges')
    .where('user_id', '=', userId)
    .where('used_at', 'is', null)
    .execute();
}

async function forgetEnrolments(trx: Trx, userId: string): Promise<void> {
  await tablesOf(trx)
    .deleteFrom('svc_auth.totp_factors')
    .where('user_id', '=', userId)
    .where('confirmed_at', 'is', null)
    .execute();
}
