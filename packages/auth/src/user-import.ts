import { ValidationFailed } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { type Actor, record } from './acts.ts';
import type { AuthContext, WriteOptions } from './context.ts';
import { UserExists } from './failures.ts';
import { parseTenant, type ScopedEmail, scopedEmail } from './identity-scope.ts';
import { parseName } from './name.ts';
import { tablesOf, type UserRow } from './tables.ts';
import { addLocalIdentity, setPassword } from './users.ts';

/** A user of another system. */
export interface UserImport<Role extends string = string> {
  email: string;
  /** Whose user it is to be; needed where identities belong to tenants. */
  tenantId?: string | undefined;
  name?: string | null | undefined;
  /** Whether the other system proved that the address is theirs. Who is not verified does that here before they sign in. */
  verified: boolean;
  /** argon2, or of a kind in `passwords.foreign`; without one, a password is chosen by mail. Of who is not verified it waits for a month. */
  passwordHash?: string | undefined;
  /** Beside `user`, which everybody has. @default none */
  roles?: readonly Role[] | undefined;
  /** When they registered there. @default now */
  createdAt?: Date | undefined;
}

// Nobody is mailed: who takes over a thousand users tells them in their own words.
export async function importUser(
  context: AuthContext,
  input: UserImport & { roles: readonly string[] },
  actor: Actor,
  { within, origin }: WriteOptions = {},
): Promise<UserRow> {
  const email = scopedEmail(input.email, parseTenant(context, input.tenantId));
  const name = parseName(input.name);
  const { verified, passwordHash, roles } = input;
  if (typeof verified !== 'boolean') throw new TypeError('verified must be a boolean');
  const phc = passwordHash === undefined ? null : context.hasher.parseForeign(passwordHash);
  const createdAt = parseCreatedAt(input.createdAt, context.clock.now());
  return transact(within ?? context.db, async (trx) => {
    const user = await insertUser(context, trx, { email, name, verified, roles, createdAt });
    if (user === undefined) throw new UserExists();
    if (phc !== null) await keepPassword(context, trx, user, phc);
    const details = { verified, hasPassword: phc !== null, roles: roles.join(' ') };
    const act = { type: 'auth.user.imported', userId: user.id, actor, details } as const;
    await record(context, trx, act, origin);
    return user;
  });
}

function insertUser(
  { newId, clock }: AuthContext,
  trx: Trx,
  user: {
    email: ScopedEmail;
    name: string | null;
    verified: boolean;
    roles: readonly string[];
    createdAt: Date;
  },
): Promise<UserRow | undefined> {
  return tablesOf(trx)
    .insertInto('svc_auth.users')
    .values({
      id: newId(),
      email: user.email.address,
      email_normalized: user.email.normalized,
      tenant_id: user.email.tenantId,
      name: user.name,
      verified_at: user.verified ? clock.now() : null,
      version: 1,
      created_at: user.createdAt,
      roles: [...user.roles],
    })
    .onConflict((conflict) => conflict.column('email_normalized').doNothing())
    .returningAll()
    .executeTakeFirst();
}

/** Ten years. */
const importWaitsMs = 3650 * 24 * 60 * 60_000;

// Of somebody who is not verified it waits, like that of a registration: their first login mails them a link.
async function keepPassword(
  context: AuthContext,
  trx: Trx,
  user: UserRow,
  phc: string,
): Promise<void> {
  if (user.verified_at === null) {
    // Its link is mailed to nobody; the password waits as long as the owner takes to come.
    const pending = { phc, name: user.name, waitsMs: importWaitsMs };
    await context.tokens.wait(trx, 'verify', user.id, pending);
    return;
  }
  await setPassword(trx, user.id, phc, user.verified_at);
  await addLocalIdentity(trx, context.newId(), user.id, user.verified_at);
}

function parseCreatedAt(value: Date | undefined, now: Date): Date {
  if (value === undefined) return now;
  if (!(value instanceof Date) || Number.isNaN(value.getTime()))
    throw new TypeError('createdAt must be a valid Date');
  if (value <= now) return value;
  throw new ValidationFailed([
    { pointer: '/createdAt', code: 'created_at', message: 'Must not be in the future.' },
  ]);
}
