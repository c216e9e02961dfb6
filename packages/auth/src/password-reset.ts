import { transact } from '@svc/db';
import { type Actor, record } from './acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { parseEmail } from './email.ts';
import { InvalidToken } from './failures.ts';
import { forgetDevices } from './lockout/devices.ts';
import { forgetFailures } from './lockout/password-attempt.ts';
import { tokenTtlMs } from './one-time-tokens.ts';
import type { Origin } from './origin.ts';
import type { UserRow } from './tables.ts';
import { addLocalIdentity, findUserByEmail, lockUser, markVerified, setPassword } from './users.ts';

// One look-up for known and unknown alike; what only the known need happens after the answer.
export async function forgotPassword(
  context: AuthContext,
  input: { email: string },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const user = await findUserByEmail(within ?? context.db, parseEmail(input.email));
  if (user === undefined || user.disabled_at !== null) return;
  afterwards(context, within, 'reset_mail', () => mailReset(context, user, anonymous, origin));
}

const anonymous: Actor = { type: 'anonymous', id: null };

/** Mails a link to choose a password, for work after an answer: the token exists only once its mail is written. */
export async function mailReset(
  context: AuthContext,
  user: Pick<UserRow, 'id' | 'email' | 'email_normalized'>,
  actor: Actor,
  origin?: Origin,
): Promise<void> {
  const token = await transact(context.db, async (trx) => {
    // The address may have been given up since it was looked up, and who reads its mail is a stranger now.
    const holder = await lockUser(trx, user.id);
    const isTheirs = holder.email_normalized === user.email_normalized;
    if (!isTheirs || holder.disabled_at !== null) return null;
    const act = { type: 'auth.password.reset_requested', userId: user.id, actor } as const;
    await record(context, trx, act, origin);
    return context.tokens.issue(trx, 'reset_password', user.id);
  });
  if (token === null) return;
  await context.mailer.resetPassword(user.email, token, tokenTtlMs.reset_password);
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
  const holder = await context.tokens.holderOf(within ?? context.db, 'reset_password', input.token);
  if (holder === undefined) throw new InvalidToken();
  const { text, breachUnchecked } = await context.passwords.check(input.password, holder);
  const phc = await context.hasher.hash(text, { within });
  await transact(within ?? context.db, async (trx) => {
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
    afterwards(context, trx, 'password_changed_mail', () =>
      context.mailer.passwordChanged(user.email),
    );
  });
}
