import { randomToken, sha256 } from '@svc/core';
import type { Trx } from '@svc/db';
import type { AuthContext } from '../context.ts';
import type { Origin } from '../origin.ts';
import { secondFactorsOf } from '../second-factors.ts';
import { tablesOf } from '../tables.ts';

/** With the first second factor, recovery codes; with others `null`. */
export async function enableMfa(
  context: AuthContext,
  trx: Trx,
  userId: string,
  _origin: Origin = {},
): Promise<string[] | null> {
  const now = context.clock.now();
  const { numUpdatedRows } = await tablesOf(trx)
    .updateTable('svc_auth.users')
    .set({ mfa_enabled_at: now })
    .where('id', '=', userId)
    .where('mfa_enabled_at', 'is', null)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) return null;
  const codes = Array.from({ length: 10 }, () => randomToken(10, context.random));
  const rows = codes.map((code) => ({
    id: context.newId(),
    user_id: userId,
    code_hash: sha256(code),
    created_at: now,
    used_at: null,
  }));
  await tablesOf(trx).insertInto('svc_auth.recovery_codes').values(rows).execute();
  return codes;
}

/** Without another second factor, the account has none from now on. */
export async function disableMfaIfLast(
  _context: AuthContext,
  trx: Trx,
  userId: string,
): Promise<boolean> {
  if ((await secondFactorsOf(trx, userId)).length > 0) return false;
  await tablesOf(trx)
    .updateTable('svc_auth.users')
    .set({ mfa_enabled_at: null })
    .where('id', '=', userId)
    .execute();
  await tablesOf(trx).deleteFrom('svc_auth.recovery_codes').where('user_id', '=', userId).execute();
  return true;
}
