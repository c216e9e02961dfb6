import { InsufficientAuthentication } from '../failures.ts';
import type { Session } from '../sessions.ts';
import type { UserRow } from '../tables.ts';

/**
 * Who has only the password could otherwise add a factor of their own and be strong with it, or remove the owner's. To be
 * asked of the user's row while it is held (`lockUser`), so that a factor added meanwhile counts.
 *
 * @throws {InsufficientAuthentication} when the account has a second factor that this session did not show.
 */
export function assertStrong(
  { mfa_enabled_at: enabledAt }: Pick<UserRow, 'mfa_enabled_at'>,
  { level }: Session,
): void {
  if (enabledAt !== null && level < 2) throw new InsufficientAuthentication({ level: 2 });
}
