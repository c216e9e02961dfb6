import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { ScopedEmail } from './identity-scope.ts';
import { tablesOf, type UserRow } from './tables.ts';

/** A person, as others may see them. */
export interface User {
  readonly id: string;
  readonly email: string;
  readonly name: string | null;
  readonly verifiedAt: Date | null;
  readonly createdAt: Date;
  /** When they set up their first second factor; `null` where they have none. */
  readonly mfaEnabledAt: Date | null;
  /** Whose user it is, where identities belong to tenants; `null` where they are global. */
  readonly tenantId: string | null;
}

export function toUser(
  row: Pick<
    UserRow,
    'id' | 'email' | 'name' | 'verified_at' | 'created_at' | 'mfa_enabled_at' | 'tenant_id'
  >,
): User {
  return {
    id: row.id,
    email: row.email,
    name: row.name,
    verifiedAt: row.verified_at,
    createdAt: row.created_at,
    mfaEnabledAt: row.mfa_enabled_at,
    tenantId: row.tenant_id,
  };
}

/**
 * The user of an address, made if there is none. An unverified one takes the spelling of the newest
 * registration; a verified one is written as it was, so that the statement costs the same.
 */
export function claimAddress(
  db: Db,
  user: { id: string; email: ScopedEmail; now: Date },
): Promise<UserRow> {
  return tablesOf(db)
    .insertInto('svc_auth.users')
    .values({
      id: user.id,
      email: user.email.address,
      email_normalized: user.email.normalized,
      tenant_id: user.email.tenantId,
      version: 1,
      created_at: user.now,
      roles: [],
    })
    .onConflict((conflict) =>
      conflict.column('email_normalized').doUpdateSet({
        email: sql<string>`case when users.verified_at is null then excluded.email else users.email end`,
      }),
    )
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findUserByEmail(db: Db, email: ScopedEmail): Promise<UserRow | undefined> {
  return tablesOf(db)
    .selectFrom('svc_auth.users')
    .selectAll()
    .where('email_normalized', '=', email.normalized)
    .executeTakeFirst();
}

/** What signing in needs to know, in one look: the user, the password in force, and the one that waits for verification. */
export function findLogin(db: Db, email: ScopedEmail) {
  return tablesOf(db)
    .selectFrom('svc_auth.users as u')
    .leftJoin('svc_auth.password_credentials as c', 'c.user_id', 'u.id')
    .leftJoin('svc_auth.one_time_tokens as t', (join) =>
      join
        .onRef('t.user_id', '=', 'u.id')
        .on('t.purpose', '=', 'verify')
        .on('t.used_at', 'is', null),
    )
    .selectAll('u')
    .select(['c.phc', 'c.version as credential_version', 't.pending_password'])
    .where('u.email_normalized', '=', email.normalized)
    .executeTakeFirst();
}

/** Marks the address as proven. Nothing comes back when the user is disabled. */
export function markVerified(
  db: Db,
  userId: string,
  now: Date,
  name: string | null,
): Promise<UserRow | undefined> {
  return tablesOf(db)
    .updateTable('svc_auth.users')
    .set({
      verified_at: sql<Date>`coalesce(verified_at, ${now}::timestamptz)`,
      name: sql<string | null>`coalesce(${name}::text, name)`,
      version: sql<number>`version + 1`,
    })
    .where('id', '=', userId)
    .where('disabled_at', 'is', null)
    .returningAll()
    .executeTakeFirst();
}

/** Puts a password in force; a login that checked the former one fails from here on. */
export async function setPassword(db: Db, userId: string, phc: string, now: Date): Promise<void> {
  await tablesOf(db)
    .insertInto('svc_auth.password_credentials')
    .values({ user_id: userId, phc, version: 1, changed_at: now })
    .onConflict((conflict) =>
      conflict.column('user_id').doUpdateSet({
        phc,
        changed_at: now,
        version: sql<number>`password_credentials.version + 1`,
      }),
    )
    .execute();
}

/** Exchanges the hash of an unchanged password, unless it has been changed meanwhile. */
export async function replaceHash(db: Db, userId: string, from: string, to: string): Promise<void> {
  await tablesOf(db)
    .updateTable('svc_auth.password_credentials')
    .set({ phc: to })
    .where('user_id', '=', userId)
    .where('phc', '=', from)
    .execute();
}

/** The issuer of identities that this package vouches for by a password; their subject is the user's id. */
export const localIssuer = 'local';

export async function addLocalIdentity(
  db: Db,
  id: string,
  userId: string,
  now: Date,
): Promise<void> {
  await tablesOf(db)
    .insertInto('svc_auth.identities')
    .values({ id, user_id: userId, issuer: localIssuer, subject: userId, created_at: now })
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .execute();
}

/**
 * Holds the row of a user until the transaction ends: who changes the account meanwhile waits, and then sees what was
 * done; a sign-in under way finishes before. Taken first, before any other row of the account, so that no two wait for
 * each other. The one such lock there is. @throws {Error} when there is no such user.
 */
export function lockUser(trx: Db, userId: string): Promise<UserRow> {
  return holding(trx, userId).executeTakeFirstOrThrow();
}

/** The same of an id that may be nobody's. */
export function lockUserIfAny(trx: Db, userId: string): Promise<UserRow | undefined> {
  return holding(trx, userId).executeTakeFirst();
}

const holding = (trx: Db, userId: string) =>
  tablesOf(trx)
    .selectFrom('svc_auth.users')
    .selectAll()
    .where('id', '=', userId)
    // Not `for update`, which would also hold up whoever only refers to the user.
    .forNoKeyUpdate();

/** @throws {Error} when there is no such user. */
export function findUser(db: Db, userId: string): Promise<UserRow> {
  return tablesOf(db)
    .selectFrom('svc_auth.users')
    .selectAll()
    .where('id', '=', userId)
    .executeTakeFirstOrThrow();
}
