import { transact } from '@svc/db';
import { record } from './acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { demandTenant, type ScopedEmail, scopedEmail } from './identity-scope.ts';
import { beginAttempt, shutOutUntil, refuseAttempt } from './lockout/password-attempt.ts';
import { parsePassword } from './passwords/passwords.ts';
import { queueVerificationAfterwards } from './registration.ts';
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
  const tenantId = demandTenant(context, origin);
  const email = scopedEmail(input.email, tenantId);
  const password = parsePassword(input.password);
  const shutOut = await shutOutUntil(context, options);
  if (shutOut !== null) throw await refuseShutOut(context, shutOut, options);
  const { found, phc, fits } = await checkPassword(context, { email, password }, options);
  const who = { email: email.normalized, user: found ?? null };
  const attempt = await beginAttempt(context, who, options);
  const refuse = (reason: LoginFailedReason) => {
    const userId = found?.id ?? null;
    // With the tenant at hand, a known address costs no look at its user that an unknown one does not.
    const act = { type: 'auth.login.failed', outcome: 'failure', userId, tenantId } as const;
    return refuseAttempt(context, attempt, { ...act, details: { reason } }, options);
  };
  if (attempt.lockedUntil !== null) throw await refuse('locked');
  if (found === undefined) throw await refuse('unknown_user');
  if (!fits || phc === null) throw await refuse('wrong_password');
  if (found.disabled_at !== null) throw await refuse('disabled');
  if (found.verified_at === null || found.credential_version === null) {
    const refused = await refuse('unverified');
    // Last, so that the mail is under way after the answer and not beside it.
    queueVerificationAfterwards(context, found.id, options);
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
  const tenantId = demandTenant(context, options.origin);
  const act = { type: 'auth.login.failed', outcome: 'failure', userId: null, tenantId } as const;
  return refuseAttempt(context, attempt, { ...act, details: { reason: 'locked' } }, options);
}

type FoundLogin = Awaited<ReturnType<typeof findLogin>>;

async function checkPassword(
  { db, hasher }: AuthContext,
  { email, password }: { email: ScopedEmail; password: string },
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
