import { transact, type Trx } from '@svc/db';
import { record } from './acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from './context.ts';
import { InvalidToken } from './failures.ts';
import { demandTenant, scopedEmail } from './identity-scope.ts';
import { queuedOrigin } from './mail-requests.ts';
import { resetRequest } from './password-reset.ts';
import { parseName } from './name.ts';
import type { Origin } from './origin.ts';
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
  const email = scopedEmail(input.email, demandTenant(context, origin));
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
      await context.tokens.wait(trx, 'verify', user.id, { phc, name });
      const details = { ...(breachUnchecked && { breachUnchecked }) };
      const act = { type: 'auth.user.registered', userId: user.id, details } as const;
      await record(context, trx, act, origin);
      await queueVerification(context, trx, user.id, origin);
    } else {
      // One statement, as in the other case; what waits stands in an unused token.
      await context.tokens.forget(trx, user.id, ['verify']);
      // Recorded like the other case, which costs as much: who asks shall not see by the time which it was.
      const act = { type: 'auth.user.registered', outcome: 'failure', userId: user.id } as const;
      const details = { reason: 'known_address', ...(breachUnchecked && { breachUnchecked }) };
      const actor = { type: 'anonymous', id: null } as const;
      await record(context, trx, { ...act, actor, details }, origin);
      const request = { template: 'already_registered', userId: user.id } as const;
      await context.queueMail(request, { within: trx });
    }
  });
}

// Queued for known and unknown alike; whether a registration waits is looked at when the mail is sent.
export async function resendVerification(
  context: AuthContext,
  input: { email: string },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const email = scopedEmail(input.email, demandTenant(context, origin));
  await transact(within ?? context.db, async (trx) => {
    const user = await findUserByEmail(trx, email);
    await queueVerification(context, trx, user?.id ?? context.newId(), origin);
  });
}

/** Asks for a new link, after the answer: a refused sign-in must cost the same whether or not a registration waits. */
export function queueVerificationAfterwards(
  context: AuthContext,
  userId: string,
  { within, origin }: WriteOptions,
): void {
  afterwards(context, within, 'verify_mail', () =>
    transact(context.db, (trx) => queueVerification(context, trx, userId, origin)),
  );
}

async function queueVerification(
  context: AuthContext,
  trx: Trx,
  userId: string,
  origin: Origin | undefined,
): Promise<void> {
  const request = { template: 'verify', userId, origin: queuedOrigin(origin) } as const;
  await context.queueMail(request, { within: trx });
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
    const tenantId = demandTenant(context, origin);
    const holder = await context.tokens.holderOf(trx, 'verify', input.token, tenantId);
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
      const request = resetRequest(context, user.id, 'contested_registration', origin);
      await context.queueMail(request, { within: trx });
    }
    await context.tokens.forgetPending(trx, user.id);
    await addLocalIdentity(trx, context.newId(), user.id, now);
    await record(context, trx, { type: 'auth.user.verified', userId: user.id }, origin);
    return toUser(user);
  });
}
