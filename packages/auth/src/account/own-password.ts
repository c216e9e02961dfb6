import { type Db, transact, type Trx } from '@svc/db';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidCredentials } from '../failures.ts';
import { parsePassword } from '../passwords/passwords.ts';
import { isLocked, passwordsOf, type Refusal, refuse } from '../second-factors/refusals.ts';
import { type PasswordCredentialRow, tablesOf } from '../tables.ts';
import { lockUser } from '../users.ts';

/** The current password, as somebody types it in a session that they have. */
export interface OwnPassword {
  userId: string;
  password: string;
  /** What a refusal is recorded as. */
  type: Refusal['type'];
  /** Where in the input it stands, as a JSON Pointer. @default '/password' */
  pointer?: string;
}

/**
 * Does `work` in a transaction if the password is in force at that moment. A wrong one is counted, and after some the
 * right one is refused, too, for a while. Who tries holds the user's row, so that no burst gets more tries than that.
 *
 * @throws {InvalidCredentials} once the refusal is written.
 * @throws {ValidationFailed} for what can be no password.
 * @throws {AuthBusy}
 */
export async function checkOwnPassword<Result>(
  context: AuthContext,
  { userId, password, type, pointer }: OwnPassword,
  options: WriteOptions,
  work: (trx: Trx) => Promise<Result>,
): Promise<Result> {
  const db = options.within ?? context.db;
  const counter = passwordsOf(userId);
  const typed = parsePassword(password, pointer);
  let known: Awaited<ReturnType<typeof findPassword>>;
  const lookUp = async () => {
    known = await findPassword(db, userId);
    return known?.phc ?? null;
  };
  const fits = await context.hasher.verify(lookUp, typed, options);
  const done = await transact(db, async (trx) => {
    const what = { type, method: 'password', userId, counter } as const;
    await lockUser(trx, userId);
    if (await isLocked(context, trx, counter))
      return refuse(context, trx, { ...what, reason: 'locked' }, options);
    // Looked at again, because it may have been changed while the hash was computed.
    const isInForce = (await findPassword(trx, userId))?.version === known?.version;
    if (!fits || !isInForce)
      return refuse(context, trx, { ...what, reason: 'wrong_password' }, options);
    await context.throttles.clear(trx, [counter]);
    return { result: await work(trx) };
  });
  if (done === null) throw new InvalidCredentials();
  return done.result;
}

/** The password of a user, if they have one. */
export function findPassword(
  db: Db,
  userId: string,
): Promise<Pick<PasswordCredentialRow, 'phc' | 'version' | 'changed_at'> | undefined> {
  return tablesOf(db)
    .selectFrom('svc_auth.password_credentials')
    .select(['phc', 'version', 'changed_at'])
    .where('user_id', '=', userId)
    .executeTakeFirst();
}
