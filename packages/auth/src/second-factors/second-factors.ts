import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import { tablesOf } from '../tables.ts';

export type SecondFactor = 'totp' | 'passkey' | 'recovery_code';

/** How many second factors of which kind a user has. */
export interface FactorCounts {
  readonly totp: boolean;
  readonly passkeys: number;
  readonly recoveryCodesLeft: number;
}

export async function countFactors(db: Db, userId: string): Promise<FactorCounts> {
  const result = await sql<{ totp: boolean; passkeys: number; codes: number }>`
    select
      exists (select from svc_auth.totp_factors where user_id = ${userId} and confirmed_at is not null) as totp,
      (select count(*)::int from svc_auth.passkeys where user_id = ${userId}) as passkeys,
      (select count(*)::int from svc_auth.recovery_codes where user_id = ${userId} and used_at is null) as codes
  `.execute(db);
  const { totp, passkeys, codes } = result.rows[0] ?? { totp: false, passkeys: 0, codes: 0 };
  return { totp, passkeys, recoveryCodesLeft: codes };
}

/** What the user has set up as a second factor; a recovery code counts only beside one of the others. */
export async function secondFactorsOf(db: Db, userId: string): Promise<readonly SecondFactor[]> {
  const { totp, passkeys, recoveryCodesLeft } = await countFactors(db, userId);
  if (!totp && passkeys === 0) return [];
  const found = { totp, passkey: passkeys > 0, recovery_code: recoveryCodesLeft > 0 };
  return (['totp', 'passkey', 'recovery_code'] as const).filter((factor) => found[factor]);
}

/** Writes since when the account has second factors. */
export async function setMfa(trx: Trx, userId: string, enabledAt: Date | null): Promise<void> {
  await tablesOf(trx)
    .updateTable('svc_auth.users')
    .set({ mfa_enabled_at: enabledAt })
    .where('id', '=', userId)
    .execute();
}
