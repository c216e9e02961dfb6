import type { Trx } from '@svc/db';
import type { AuthContext } from '../context.ts';
import { forgetDevices } from '../lockout/devices.ts';
import type { RevokeReason } from '../sessions.ts';

/**
 * Ends what somebody else may hold of an account whose password or address changes: sessions, but one where that is
 * named, known and trusted devices, and links to choose a password or confirm an address. API keys stay.
 *
 * To be called once the user's row is held, so that a login under way has finished or will see the change.
 */
export async function endAccess(
  context: AuthContext,
  trx: Trx,
  userId: string,
  { reason, exceptId }: { reason: RevokeReason; exceptId?: string },
): Promise<{ sessionsEnded: number; devicesForgotten: number }> {
  const sessionsEnded = await context.sessions.revokeAll(trx, userId, reason, exceptId);
  const devicesForgotten = await forgetDevices(trx, userId);
  await context.tokens.forget(trx, userId, ['reset_password', 'change_email']);
  return { sessionsEnded, devicesForgotten };
}
