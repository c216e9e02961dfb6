import { afterCommit, transact } from '@svc/db';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { parseEmail } from './email.ts';
import { loggedIn, loggedOut, loginFailed, type LoginFailedReason } from './events.ts';
import { InvalidCredentials } from './failures.ts';
import { parsePassword } from './passwords/passwords.ts';
import { mailNewVerification } from './registration.ts';
import type { Session } from './sessions.ts';
import { findLogin, replaceHash, toUser, type User } from './users.ts';

export interface Login {
  email: string;
  password: string;
  /** How the person will recognise the device; the user agent, cut to 200 characters. */
  device?: string | undefined;
  /** Where the request came from. */
  address?: string | undefined;
  /** The session that this one takes the place of. */
  previousToken?: string | undefined;
}

export interface LoggedIn {
  /** Given out here and never again. */
  readonly token: string;
  readonly user: User;
  readonly session: Session;
}

// Four reasons to refuse, one answer, one hash checked: nothing tells them apart.
export async function login(
  context: AuthContext,
  input: Login,
  { within }: WriteOptions = {},
): Promise<LoggedIn> {
  const email = parseEmail(input.email);
  const password = parsePassword(input.password);
  const address = cut(input.address);
  const found = await findLogin(within ?? context.db, email);
  const phc = (found?.verified_at ? found.phc : found?.pending_password) ?? null;
  const fits = await context.hasher.verify(phc, password);
  const refuse = (reason: LoginFailedReason) => {
    loginFailed.publish(context.name, { userId: found?.id ?? null, reason, address });
    return new InvalidCredentials();
  };
  if (found === undefined) throw refuse('unknown_user');
  if (!fits || phc === null) throw refuse('wrong_password');
  if (found.disabled_at !== null) throw refuse('disabled');
  if (found.verified_at === null || found.credential_version === null) {
    mailNewVerification(context, found, within);
    throw refuse('unverified');
  }
  const opening = {
    userId: found.id,
    credentialVersion: found.credential_version,
    device: cut(input.device),
    address,
  };
  return transact(within ?? context.db, async (trx) => {
    const { token, session } = await context.sessions.open(trx, opening);
    if (input.previousToken !== undefined)
      await context.sessions.revoke(trx, input.previousToken, 'replaced');
    afterCommit(trx, () =>
      loggedIn.publish(context.name, { userId: found.id, sessionId: session.id }),
    );
    if (context.hasher.isOutdated(phc)) {
      // Afterwards: of two logins at once that hold the row shared, both would wait to write it.
      afterwards(context, trx, 'rehash', async () =>
        replaceHash(context.db, found.id, phc, await context.hasher.hash(password)),
      );
    }
    return { token, user: toUser(found), session };
  });
}

export async function logout(
  context: AuthContext,
  input: { token: string },
  { within }: WriteOptions = {},
): Promise<void> {
  await transact(within ?? context.db, async (trx) => {
    const ended = await context.sessions.revoke(trx, input.token, 'logout');
    if (ended === undefined) return;
    afterCommit(trx, () =>
      loggedOut.publish(context.name, { userId: ended.user_id, sessionId: ended.id }),
    );
  });
}

// These come from request headers: bounded, and fit for a text column and a log line.
function cut(value: string | undefined): string | null {
  return value?.slice(0, 200).replace(/[\p{Cc}\p{Cs}]/gu, '') || null;
}
