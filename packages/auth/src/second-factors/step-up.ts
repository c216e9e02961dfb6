import { type Db, transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCode, InvalidCredentials } from '../failures.ts';
import type { ThrottleKey } from '../lockout/throttles.ts';
import type { Origin } from '../origin.ts';
import { parsePassword } from '../passwords/passwords.ts';
import type { Principal } from '../principal.ts';
import type { Proof, Session } from '../sessions.ts';
import { tablesOf } from '../tables.ts';
import { authMethodOf } from './challenge.ts';
import { type TypedCode, useCode } from './codes.ts';
import { raiseSession, sessionOf } from './raised-session.ts';
import { isLocked, refuse } from './refusals.ts';
import { lockMfa } from './second-factors.ts';

/** What somebody shows in a session that they have. A password makes it fresh, and never a session of level 2. */
export type StepUp = TypedCode | { method: 'password'; password: string };

/** The current session with its new token; the former one is dead. */
export interface SteppedUp {
  readonly token: string;
  readonly session: Session;
}

/** Counts wrong passwords in sessions. Apart from sign-in, so that a stranger's guesses there do not keep the owner from this. */
const passwordsOf = (userId: string): ThrottleKey => ({
  kind: 'second_factor',
  value: `password:${userId}`,
});

export async function stepUp(
  context: AuthContext,
  principal: Principal,
  shown: StepUp,
  options: WriteOptions = {},
): Promise<SteppedUp> {
  sessionOf(principal);
  if (shown.method === 'password') return showPassword(context, principal, shown.password, options);
  const { userId } = principal;
  const { within, origin } = options;
  const raised = await transact(within ?? context.db, async (trx) => {
    const fault = await useCode(context, trx, userId, shown, origin);
    if (fault !== null) {
      const what = { type: 'auth.step_up.failed', reason: fault, method: shown.method } as const;
      return refuse(context, trx, { ...what, userId }, options);
    }
    return raise(context, trx, principal, { method: authMethodOf[shown.method], level: 2 }, origin);
  });
  if (raised === null) throw new InvalidCode();
  return raised;
}

async function showPassword(
  context: AuthContext,
  principal: Principal,
  typed: string,
  options: WriteOptions,
): Promise<SteppedUp> {
  const { userId } = principal;
  const { within, origin } = options;
  const counter = passwordsOf(userId);
  const password = parsePassword(typed);
  const phc = await findPassword(within ?? context.db, userId);
  const fits = await context.hasher.verify(phc, password);
  const raised = await transact(within ?? context.db, async (trx) => {
    const what = { type: 'auth.step_up.failed', method: 'password', userId, counter } as const;
    // Those who try wait for each other: see useCode.
    await lockMfa(trx, userId);
    if (await isLocked(context, trx, counter))
      return refuse(context, trx, { ...what, reason: 'locked' }, options);
    // Asked again, because it may have been changed while the hash was computed.
    if (!fits || phc === null || (await findPassword(trx, userId)) !== phc)
      return refuse(context, trx, { ...what, reason: 'wrong_password' }, options);
    await context.throttles.clear(trx, [counter]);
    return raise(context, trx, principal, { method: 'pwd', level: 1 }, origin);
  });
  if (raised === null) throw new InvalidCredentials();
  return raised;
}

async function findPassword(db: Db, userId: string): Promise<string | null> {
  const row = await tablesOf(db)
    .selectFrom('svc_auth.password_credentials')
    .select('phc')
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.phc ?? null;
}

async function raise(
  context: AuthContext,
  trx: Trx,
  principal: Principal,
  proof: Proof,
  origin: Origin = {},
): Promise<SteppedUp> {
  const raised = await raiseSession(context, trx, principal, proof);
  const details = { sessionId: raised.session.id, ...proof };
  const act = { type: 'auth.step_up.succeeded', userId: principal.userId, details } as const;
  await record(context, trx, act, origin);
  return raised;
}
