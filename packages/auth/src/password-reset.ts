import { transact } from '@svc/db';
import { record } from './acts.ts';
import type { AuthContext, WriteOptions } from './context.ts';
import { InvalidToken } from './failures.ts';
import { demandTenant, scopedEmail } from './identity-scope.ts';
import { forgetDevices } from './lockout/devices.ts';
import { forgetFailures } from './lockout/password-attempt.ts';
import { type MailRequest, queuedOrigin } from './mail-requests.ts';
import type { Origin } from './origin.ts';
import { addLocalIdentity, findUserByEmail, lockUser, markVerified, setPassword } from './users.ts';

// One look-up and one mail that is queued for known and unknown alike; to whom is looked at when it is sent.
export async function forgotPassword(
  context: AuthContext,
  input: { email: string },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const email = scopedEmail(input.email, demandTenant(context, origin));
  await transact(within ?? context.db, async (trx) => {
    const user = await findUserByEmail(trx, email);
    const request = resetRequest(context, user?.id ?? context.newId(), 'asked_for', origin);
    await context.queueMail(request, { within: trx });
  });
}

/** The mail with a link to choose a password. */
export function resetRequest(
  { clock }: AuthContext,
  userId: string,
  cause: 'asked_for' | 'contested_registration',
  origin?: Origin,
): MailRequest {
  const requestedAt = clock.now().toISOString();
  return { template: 'reset_password', userId, requestedAt, cause, origin: queuedOrigin(origin) };
}

export interface PasswordReset {
  token: string;
  password: string;
}

// Following the link proves the mailbox, so it verifies an account that was not, and drops the password
// that waited for verification: the way out for an owner whose address a stranger registered.
export async function resetPassword(
  context: AuthContext,
  input: PasswordReset,
  { within, origin }: WriteOptions = {},
): Promise<void> {
  // Before what is costly, so that made-up tokens cost little.
  const db = within ?? context.db;
  const tenantId = demandTenant(context, origin);
  const holder = await context.tokens.holderOf(db, 'reset_password', input.token, tenantId);
  if (holder === undefined) throw new InvalidToken();
  const { text, breachUnchecked } = await context.passwords.check(input.password, holder);
  const phc = await context.hasher.hash(text, { within });
  await transact(db, async (trx) => {
    // The user first, as in all that voids tokens, so that no two wait for each other.
    await lockUser(trx, holder.userId);
    const token = await context.tokens.consume(trx, 'reset_password', input.token);
    if (token === null) throw new InvalidToken();
    const now = context.clock.now();
    const user = await markVerified(trx, token.user_id, now, null);
    if (user === undefined) throw new InvalidToken();
    await setPassword(trx, user.id, phc, now);
    // After setPassword, whose lock lets a login that is under way finish first.
    const sessionsEnded = await context.sessions.revokeAll(trx, user.id, 'password_reset');
    const devicesForgotten = await forgetDevices(trx, user.id);
    await forgetFailures(context, trx, user, origin);
    await context.tokens.forgetPending(trx, user.id);
    await context.tokens.forget(trx, user.id, ['change_email']);
    await addLocalIdentity(trx, context.newId(), user.id, now);
    const act = {
      type: 'auth.password.reset',
      userId: user.id,
      details: { sessionsEnded, devicesForgotten, ...(breachUnchecked && { breachUnchecked }) },
    } as const;
    await record(context, trx, act, origin);
    const notice = { template: 'password_changed', userId: user.id, email: user.email } as const;
    await context.queueMail(notice, { within: trx });
  });
}
