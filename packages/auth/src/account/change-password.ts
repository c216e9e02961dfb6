import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCredentials } from '../failures.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { raiseSession } from '../second-factors/raised-session.ts';
import type { SteppedUp } from '../second-factors/step-up.ts';
import type { Proof } from '../sessions.ts';
import { addLocalIdentity, lockUser, setPassword } from '../users.ts';
import { endAccess } from './end-access.ts';
import { checkOwnPassword, findPassword } from './own-password.ts';

export interface PasswordChange {
  /** Left out by those who have no password and choose their first. */
  currentPassword?: string | undefined;
  password: string;
}

// The new password is judged and hashed before the current one is looked at: were it the other way round, its faults would
// tell those who are locked out which guess was right.
export async function changePassword(
  context: AuthContext,
  principal: Principal,
  input: PasswordChange,
  options: WriteOptions = {},
): Promise<SteppedUp> {
  sessionOf(principal);
  const { userId, user } = principal;
  const { currentPassword } = input;
  const { text, breachUnchecked } = await context.passwords.check(input.password, user);
  const phc = await context.hasher.hash(text, options);
  const details = { ...(breachUnchecked && { breachUnchecked }) };
  const put = (trx: Trx, proof: Proof | null) =>
    putInForce(context, trx, principal, { phc, proof, details }, options);
  if (currentPassword === undefined) {
    return transact(options.within ?? context.db, async (trx) => {
      await lockUser(trx, userId);
      if ((await findPassword(trx, userId)) !== undefined) throw new InvalidCredentials();
      return put(trx, null);
    });
  }
  const type = 'auth.password.changed';
  const shown = { userId, password: currentPassword, type, pointer: '/currentPassword' } as const;
  return checkOwnPassword(context, shown, options, (trx) => put(trx, { method: 'pwd', level: 1 }));
}

async function putInForce(
  context: AuthContext,
  trx: Trx,
  principal: Principal,
  change: { phc: string; proof: Proof | null; details: { breachUnchecked?: boolean } },
  { origin }: WriteOptions,
): Promise<SteppedUp> {
  const { userId, user } = principal;
  const now = context.clock.now();
  await setPassword(trx, userId, change.phc, now);
  await addLocalIdentity(trx, context.newId(), userId, now);
  // ASVS 5.0 7.4.3.
  const exceptId = sessionOf(principal).id;
  const ended = await endAccess(context, trx, userId, { reason: 'password_changed', exceptId });
  const raised = await raiseSession(context, trx, principal, change.proof);
  const details = { ...ended, ...change.details };
  await record(context, trx, { type: 'auth.password.changed', userId, details }, origin);
  const notice = { template: 'password_changed', userId, email: user.email } as const;
  await context.queueMail(notice, { within: trx });
  return raised;
}
