import { transact } from '@svc/db';
import { record } from './acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { parseEmail } from './email.ts';
import { beginAttempt, refuseAttempt } from './lockout/password-attempt.ts';
import { parsePassword } from './passwords/passwords.ts';
import { mailNewVerification } from './registration.ts';
import { finishSignIn, type SignIn } from './sign-in.ts';
import { findLogin, replaceHash } from './users.ts';

export interface Login {
  email: string;
  password: string;
  /** The session that this one takes the place of. */
  previousToken?: string | undefined;
}

/** Why a sign-in was refused. For operators; the person who tries is never told. */
export type LoginFailedReason =
  | 'unknown_user'
  | 'wrong_password'
  | 'unverified'
  | 'disabled'
  | 'locked';

// Five reasons to refuse, one answer, one hash checked: nothing tells them apart.
export async function login(
  context: AuthContext,
  input: Login,
  options: WriteOptions = {},
): Promise<SignIn> {
  const { within, origin } = options;
  const email = parseEmail(input.email);
  const password = parsePassword(input.password);
  const found = await findLogin(within ?? context.db, email);
  const phc = (found?.verified_at ? found.phc : found?.pending_password) ?? null;
  const fits = await context.hasher.verify(phc, password);
  const who = { email: email.normalized, user: found ?? null };
  const attempt = await beginAttempt(context, who, options);
  const refuse = (reason: LoginFailedReason) => {
    const userId = found?.id ?? null;
    const act = { type: 'auth.login.failed', outcome: 'failure', userId } as const;
    return refuseAttempt(context, attempt, { ...act, details: { reason } }, options);
  };
  if (attempt.lockedUntil !== null) throw await refuse('locked');
  if (found === undefined) throw await refuse('unknown_user');
  if (!fits || phc === null) throw await refuse('wrong_password');
  if (found.disabled_at !== null) throw await refuse('disabled');
  if (found.verified_at === null || found.credential_version === null) {
    mailNewVerification(context, found, options);
    throw await refuse('unverified');
  }
  const first = {
    userId: found.id,
    credentialVersion: found.credential_version,
    method: 'pwd' as const,
    level: 1 as const,
    previousToken: input.previousToken,
  };
  return transact(within ?? context.db, async (trx) => {
    const signIn = await finishSignIn(context, trx, first, origin);
    await context.throttles.clear(trx, attempt.cleared);
    if (context.hasher.isOutdated(phc)) {
      // Afterwards: of two logins at once that hold the row shared, both would wait to write it.
      afterwards(context, trx, 'rehash', async () =>
        replaceHash(context.db, found.id, phc, await context.hasher.hash(password)),
      );
    }
    return signIn;
  });
}

export async function logout(
  context: AuthContext,
  input: { token: string },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  await transact(within ?? context.db, async (trx) => {
    const ended = await context.sessions.revoke(trx, input.token, 'logout');
    if (ended === undefined) return;
    const details = { sessionId: ended.id };
    await record(context, trx, { type: 'auth.logout', userId: ended.user_id, details }, origin);
  });
}
