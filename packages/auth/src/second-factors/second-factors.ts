import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import { tablesOf } from '../tables.ts';

export type SecondFactor = 'totp' | 'passkey' | 'recovery_code';

/** What the user has set up as a second factor; a recovery code counts only beside one of the others. */
export async function secondFactorsOf(db: Db, userId: string): Promise<readonly SecondFactor[]> {
  const result = await sql<{ totp: boolean; passkey: boolean; recovery_code: boolean }>`
    select
      exists (select from svc_auth.totp_factors where user_id = ${userId} and confirmed_at is not null) as totp,
      exists (select from svc_auth.passkeys where user_id = ${userId}) as passkey,
      exists (select from svc_auth.recovery_codes where user_id = ${userId} and used_at is null) as recovery_code
  `.execute(db);
  const found = result.rows[0];
  if (found === undefined || (!found.totp && !found.passkey)) return [];
  return (['totp', 'passkey', 'recovery_code'] as const).filter((factor) => found[factor]);
}

/** Whether the account has second factors. Whoever adds or removes one meanwhile waits, and then sees what was done. */
export async function lockMfa(trx: Trx, userId: string): Promise<boolean> {
  const user = await tablesOf(trx)
    .selectFrom('svc_auth.users')
    .select('mfa_enabled_at')
    .where('id', '=', userId)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
  return user.mfa_enabled_at !== null;
}

/** Writes since when the account has second factors. */
export async function setMfa(trx: Trx, userId: string, enabledAt: Date | null): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_auth.users')
    .set({ mfa_enabled_at: enabledAt })
    .where('id', '=', userId)
    .execute();
}
