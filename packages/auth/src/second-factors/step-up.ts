import { transact, type Trx } from '@svc/db';
import { checkOwnPassword } from '../account/own-password.ts';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCode } from '../failures.ts';
import type { Origin } from '../origin.ts';
import type { HeldSession, Proof } from '../sessions.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { authMethodOf } from './challenge.ts';
import { type TypedCode, useCode } from './codes.ts';
import { raiseSession } from './raised-session.ts';
import { refuse } from './refusals.ts';

/** What somebody shows in a session that they have. A password makes it fresh, and never a session of level 2. */
export type StepUp = TypedCode | { method: 'password'; password: string };

/** The current session with its new token; the former one is dead. */
export type SteppedUp = HeldSession;

export async function stepUp(
  context: AuthContext,
  principal: Principal,
  shown: StepUp,
  options: WriteOptions = {},
): Promise<SteppedUp> {
  sessionOf(principal);
  const { userId } = principal;
  const { within, origin } = options;
  if (shown.method === 'password') {
    const check = { userId, password: shown.password, type: 'auth.step_up.failed' } as const;
    return checkOwnPassword(context, check, options, (trx) =>
      raise(context, trx, principal, { method: 'pwd', level: 1 }, origin),
    );
  }
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
