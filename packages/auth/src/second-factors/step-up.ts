import { transact } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCode, InvalidCredentials } from '../failures.ts';
import type { ThrottleKey } from '../lockout/throttles.ts';
import { parsePassword } from '../passwords.ts';
import type { Principal } from '../principal.ts';
import type { Proof, Session } from '../sessions.ts';
import { tablesOf } from '../tables.ts';
import { authMethodOf } from './challenge.ts';
import { type Refusal, type TypedCode, isLocked, refuse, useCode } from './codes.ts';
import { raiseSession, sessionOf } from './raised-session.ts';

/** What somebody shows in a session that they have. A password makes it fresh, and never a session of level 2. */
export type StepUp = TypedCode | { method: 'password'; password: string };

/** The current session with its new token; the former one is dead. */
export interface SteppedUp {
  readonly token: string;
  readonly session: Session;
}

/** Counts wrong passwords in sessions. Apart from sign-in, so that a stranger's guesses there do not keep the owner from this. */
export const passwordsOf = (userId: string): ThrottleKey => ({
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
  const judge =
    shown.method === 'password'
      ? await judgePassword(context, principal, shown.password, options)
      : judgeCode(context, principal, shown, options);
  const { within, origin } = options;
  const raised = await transact(within ?? context.db, async (trx) => {
    const { proof, refusal } = await judge(trx);
    if (refusal !== undefined) {
      ...
    }
  });
}
