import { transact } from '@svc/db';
import { record } from './acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { parseEmail } from './email.ts';
import { InvalidToken } from './failures.ts';
import { tokenTtlMs } from './one-time-tokens.ts';
import { mailReset } from './password-reset.ts';
import { parseName } from './name.ts';
import type { UserRow } from './tables.ts';
import {
  addLocalIdentity,
  claimAddress,
  findUserByEmail,
  lockUser,
  markVerified,
  setPassword,
  toUser,
  type User,
} from './users.ts';

export interface Registration {
  email: string;
  password: string;
  name?: string | undefined;
}

// Whether the address is known must not show: both ways hash, and write.
export async function register(
  context: AuthContext,
  input: Registration,
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const email = parseEmail(input.email);
  const name = parseName(input.name);
  // Not inside the transaction: they take longer than all of its statements.
  const { text, breachUnchecked } = await context.passwords.check(input.password, {
    email: email.address,
    name,
  });
  const phc = await context.hasher.hash(text, { within });
  await transact(within ?? context.db, async (trx) => {
    const user = await claimAddress(trx, { id: context.newId(), email, now: context.clock.now() });
    if (user.verified_at === null && user.disabled_at === null) {
      const token = await context.tokens.issue(trx, 'verify', user.id, { phc, name });
      const details = { ...(breachUnchecked && { breachUnchecked }) };
      const act = { type: 'auth.user.registered', userId: user.id, details } as const;
      await record(context, trx, act, origin);
      afterwards(context, trx, 'verify_mail', () =>
        context.mailer.verify(user.email, token, tokenTtlMs.verify),
      );
    } else {
      // One statement, as in the other case; what waits stands in an unused token.
      await context.tokens.forget(trx, user.id, ['verify']);
      // Recorded like the other case, which costs as much: who asks shall not see by the time which it was.
      const act = { type: 'auth.user.registered', outcome: 'failure', userId: user.id } as const;
      const details = { reason: 'known_address', ...(breachUnchecked && { breachUnchecked }) };
      const actor = { type: 'anonymous', id: null } as const;
      await record(context, trx, { ...act, actor, details }, origin);
      if (user.disabled_at !== null) return;
      afterwards(context, trx, 'already_registered_mail', () =>
        context.mailer.alreadyRegistered(user.email),
      );
    }
  });
}

export async function resendVerification(
  context: AuthContext,
  input: { email: string },
  options: WriteOptions = {},
): Promise<void> {
  const { within } = options;
  const user = await findUserByEmail(within ?? context.db, parseEmail(input.email));
  if (user !== undefined && user.verified_at === null && user.disabled_at === null) {
    mailNewVerification(context, user, options);
  }
}

/** Mints a new link for the registration that waits, after the answer: the token exists only once its mail is written. */
export function mailNewVerification(
  context: AuthContext,
  user: Pick<UserRow, 'id' | 'email'>,
  { within, origin }: WriteOptions,
): void {
  afterwards(context, within, 'verify_mail', async () => {
    const token = await transact(context.db, async (trx) => {
      const fresh = await context.tokens.reissue(trx, 'verify', user.id);
      const actor = { type: 'anonymous', id: null } as const;
      const act = { type: 'auth.user.verification_resent', userId: user.id, actor } as const;
      if (fresh !== null) await record(context, trx, act, origin);
      return fresh;
    });
    if (token !== null) await context.mailer.verify(user.email, token, tokenTtlMs.verify);
  });
}

// The password is that of the one registration that waited; of several, none (account pre-hijacking,
// Sudhodanan and Paverd 2022).
export function verify(
  context: AuthContext,
  input: { token: string },
  { within, origin }: WriteOptions = {},
): Promise<User> {
  return transact(within ?? context.db, async (trx) => {
    // The user first, as registering does, so that no two wait for each other.
    const holder = await context.tokens.holderOf(trx, 'verify', input.token);
    if (holder === undefined || (await lockUser(trx, holder.userId)) === undefined)
      throw new InvalidToken();
    const token = await context.tokens.consume(trx, 'verify', input.token);
    if (token === null) throw new InvalidToken();
    const now = context.clock.now();
    const user = await markVerified(trx, token.user_id, now, token.pending_name);
    if (user === undefined) throw new InvalidToken();
    if (token.pending_password !== null) {
      await setPassword(trx, user.id, token.pending_password, now);
    } else {
      // More than one registration waited: none of their passwords counts, the owner chooses one.
      const actor = { type: 'system', id: null, reason: 'contested registration' } as const;
      afterwards(context, trx, 'reset_mail', () => mailReset(context, user, actor, origin));
    }
    await context.tokens.forgetPending(trx, user.id);
    await addLocalIdentity(trx, context.newId(), user.id, now);
    await record(context, trx, { type: 'auth.user.verified', userId: user.id }, origin);
    return toUser(user);
  });
}
