import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import { type PasskeyRow, tablesOf, type UserRow } from '../tables.ts';
import type { Assertion } from './verification.ts';

/** A passkey with what signing in needs to know of its owner. */
export type OwnedPasskey = PasskeyRow &
  Pick<UserRow, 'email' | 'verified_at' | 'disabled_at' | 'passkey_handle'>;

/** Nothing comes back for a passkey of another tenant's user. */
export function findByCredentialId(
  db: Db,
  id: Uint8Array,
  tenantId: string | null,
): Promise<OwnedPasskey | undefined> {
  return tablesOf(db)
    .selectFrom('svc_auth.passkeys as p')
    .innerJoin('svc_auth.users as u', 'u.id', 'p.user_id')
    .selectAll('p')
    .select(['u.email', 'u.verified_at', 'u.disabled_at', 'u.passkey_handle'])
    .where('p.credential_id', '=', id)
    .where('u.tenant_id', 'is not distinct from', tenantId)
    .executeTakeFirst();
}

/** All of a user, oldest first. */
export function passkeysOf(db: Db, userId: string): Promise<PasskeyRow[]> {
  return tablesOf(db)
    .selectFrom('svc_auth.passkeys')
    .selectAll()
    .where('user_id', '=', userId)
    .orderBy('id')
    .execute();
}

// Of any number at once, the first one's bytes stay.
export async function claimHandle(db: Db, userId: string, fresh: Uint8Array): Promise<UserRow> {
  return tablesOf(db)
    .updateTable('svc_auth.users')
    .set({ passkey_handle: sql<Uint8Array>`coalesce(passkey_handle, ${fresh})` })
    .where('id', '=', userId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Nothing comes back when somebody has that credential (WebAuthn Level 3 7.1, step 27). */
export function insertPasskey(trx: Trx, row: PasskeyRow): Promise<PasskeyRow | undefined> {
  return tablesOf(trx)
    .insertInto('svc_auth.passkeys')
    .values(row)
    .onConflict((conflict) => conflict.column('credential_id').doNothing())
    .returningAll()
    .executeTakeFirst();
}

export function deletePasskey(
  trx: Trx,
  id: string,
  userId: string,
): Promise<PasskeyRow | undefined> {
  return tablesOf(trx)
    .deleteFrom('svc_auth.passkeys')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .returningAll()
    .executeTakeFirst();
}

/**
 * Takes over the count of a use (WebAuthn Level 3 7.2, step 22). In one statement, so that of two copies
 * with one count the second is found. Authenticators that do not count always say zero.
 */
export async function advanceCount(
  trx: Trx,
  id: string,
  { signCount, backedUp, userVerified, isAlone }: Assertion & { isAlone: boolean },
  now: Date,
): Promise<'advanced' | 'regressed' | 'removed'> {
  const { numUpdatedRows } = await tablesOf(trx)
    .updateTable('svc_auth.passkeys')
    .set({
      sign_count: signCount,
      backed_up: backedUp,
      last_used_at: now,
      // What was not said at registration, or of a passkey from before it was asked for.
      ...(userVerified && { user_verified: true }),
      ...(isAlone && { discoverable: true }),
    })
    .where('id', '=', id)
    .where(
      sql<boolean>`(sign_count < ${signCount}::bigint or (sign_count = 0 and ${signCount}::bigint = 0))`,
    )
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return 'advanced';
  const row = await tablesOf(trx)
    .selectFrom('svc_auth.passkeys')
    .select('id')
    .where('id', '=', id)
    .executeTakeFirst();
  return row === undefined ? 'removed' : 'regressed';
}
