import type { Trx } from '@svc/db';
import type { AuthContext } from '../context.ts';
import { Unauthenticated } from '../failures.ts';
import type { HeldSession, Proof } from '../sessions.ts';
import { type Principal, sessionOf } from '../principal.ts';

/** A new token for the current session, and no other, with what was proved in it now, if anything was. @throws {Unauthenticated} when it has ended. */
export async function raiseSession(
  context: AuthContext,
  trx: Trx,
  principal: Principal,
  proof: Proof | null,
): Promise<HeldSession> {
  const raised = await context.sessions.renew(trx, sessionOf(principal).id, proof);
  if (raised === null) throw new Unauthenticated();
  return raised;
}

/** Ends all sessions of the principal's user but the current one and answers how many that were. */
export function endOtherSessions(
  context: AuthContext,
  trx: Trx,
  principal: Principal,
): Promise<number> {
  const { id } = sessionOf(principal);
  return context.sessions.revokeAll(trx, principal.userId, 'revoked', id);
}
