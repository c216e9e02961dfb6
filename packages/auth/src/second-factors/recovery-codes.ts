import { sha256 } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { MfaNotEnabled } from '../failures.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { queueNotice } from '../security-notice.ts';
import { tablesOf } from '../tables.ts';
import { lockUser } from '../users.ts';
import { assertStrong } from './assert-strong.ts';
import type { CodeFault } from './refusals.ts';

const codesAtOnce = 10;
// 120 bits. From 112 on, a plain hash is enough (ASVS 5.0 6.5.2).
const codeBytes = 15;
// Crockford's: no I, L, O and U, which are read as something else.
const alphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A code as it is handed out: six groups of four, from 15 bytes. */
export function formatRecoveryCode(bytes: Uint8Array): string {
  const value = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  const digits = [...value.toString(32).padStart(24, '0')];
  const text = digits.map((digit) => alphabet[Number.parseInt(digit, 32)]).join('');
  return (text.match(/.{4}/g) ?? []).join('-');
}

/** What is hashed of a code that somebody typed; `null` when it cannot be one. */
export function parseRecoveryCode(typed: string): string | null {
  const code = typed.replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
  return /^[0-9A-HJKMNP-TV-Z]{24}$/.test(code) ? code : null;
}

/** New codes in place of all former ones. The caller holds the user's row, so that no two sets live. */
export async function replaceRecoveryCodes(
  context: AuthContext,
  trx: Trx,
  userId: string,
): Promise<string[]> {
  const codes = Array.from({ length: codesAtOnce }, () =>
    formatRecoveryCode(context.random(codeBytes)),
  );
  const now = context.clock.now();
  const tables = tablesOf(trx);
  await tables.deleteFrom('svc_auth.recovery_codes').where('user_id', '=', userId).execute();
  await tables
    .insertInto('svc_auth.recovery_codes')
    .values(
      codes.map((code) => ({
        id: context.newId(),
        user_id: userId,
        code_hash: hashOf(code.replaceAll('-', '')),
        created_at: now,
        used_at: null,
      })),
    )
    .execute();
  return codes;
}

/** Uses a code up; of any number at once, one gets `null` and the others a fault. */
export async function useRecoveryCode(
  context: AuthContext,
  trx: Trx,
  userId: string,
  typed: string,
): Promise<CodeFault | null> {
  const code = parseRecoveryCode(typed);
  if (code === null) return 'wrong_code';
  const result = await tablesOf(trx)
    .updateTable('svc_auth.recovery_codes')
    .set({ used_at: context.clock.now() })
    .where('user_id', '=', userId)
    .where('code_hash', '=', hashOf(code))
    .where('used_at', 'is', null)
    .executeTakeFirst();
  if (result.numUpdatedRows > 0n) return null;
  return (await isUsed(trx, userId, code)) ? 'replayed' : 'wrong_code';
}

async function isUsed(trx: Trx, userId: string, code: string): Promise<boolean> {
  const row = await tablesOf(trx)
    .selectFrom('svc_auth.recovery_codes')
    .select('id')
    .where('user_id', '=', userId)
    .where('code_hash', '=', hashOf(code))
    .executeTakeFirst();
  return row !== undefined;
}

export async function makeRecoveryCodes(
  context: AuthContext,
  principal: Principal,
  { within, origin }: WriteOptions = {},
): Promise<string[]> {
  const session = sessionOf(principal);
  const { userId, user } = principal;
  return transact(within ?? context.db, async (trx) => {
    const locked = await lockUser(trx, userId);
    if (locked.mfa_enabled_at === null) throw new MfaNotEnabled();
    assertStrong(locked, session);
    const codes = await replaceRecoveryCodes(context, trx, userId);
    await record(context, trx, { type: 'auth.mfa.recovery_codes_made', userId }, origin);
    await queueNotice(context, trx, user, 'recovery_codes_made');
    return codes;
  });
}

const hashOf = (code: string) => sha256(code);
