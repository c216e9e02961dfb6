import { transact } from '@svc/db';
import { record } from './acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { type EmailAddress, parseEmail } from './email.ts';
import { beginAttempt, shutOutUntil, refuseAttempt } from './lockout/password-attempt.ts';
import { parsePassword } from './passwords/passwords.ts';
import { mailNewVerification } from './registration.ts';
import { finishSignIn, type SignIn, type SignInWishes } from './sign-in.ts';
import { findLogin, replaceHash } from './users.ts';

export interface Login extends SignInWishes {
  email: string;
  password: string;
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
  const shutOut = await shutOutUntil(context, options);
  if (shutOut !== null) throw await refuseShutOut(context, shutOut, options);
  const { found, phc, fits } = await checkPassword(context, { email, password }, options);
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
    const refused = await refuse('unverified');
    // Last, so that the mail is under way after the answer and not beside it.
    mailNewVerification(context, found, options);
    throw refused;
  }
  const first = {
    userId: found.id,
    credentialVersion: found.credential_version,
    method: 'pwd' as const,
    level: 1 as const,
    previousToken: input.previousToken,
    refresh: input.refresh,
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

function refuseShutOut(context: AuthContext, lockedUntil: Date, options: WriteOptions) {
  const attempt = { user: null, lockedUntil, counted: [], cleared: [] };
  const act = { type: 'auth.login.failed', outcome: 'failure', userId: null } as const;
  return refuseAttempt(context, attempt, { ...act, details: { reason: 'locked' } }, options);
}

type FoundLogin = Awaited<ReturnType<typeof findLogin>>;

async function checkPassword(
  { db, hasher }: AuthContext,
  { email, password }: { email: EmailAddress; password: string },
  { within }: WriteOptions,
): Promise<{ found: FoundLogin; phc: string | null; fits: boolean }> {
  let found: FoundLogin;
  let phc: string | null = null;
  const lookUp = async () => {
    found = await findLogin(within ?? db, email);
    phc = (found?.verified_at ? found.phc : found?.pending_password) ?? null;
    return phc;
  };
  const fits = await hasher.verify(lookUp, password, { within });
  return { found, phc, fits };
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
