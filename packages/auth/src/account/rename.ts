import { transact } from '@svc/db';
import { sql } from 'kysely';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { Unauthenticated } from '../failures.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { parseName } from '../name.ts';
import { tablesOf } from '../tables.ts';
import { toUser, type User } from '../users.ts';

export async function rename(
  context: AuthContext,
  principal: Principal,
  input: { name: string | null },
  { within, origin }: WriteOptions = {},
): Promise<User> {
  sessionOf(principal);
  const { userId } = principal;
  const name = parseName(input.name);
  return transact(within ?? context.db, async (trx) => {
    const user = await tablesOf(trx)
      .updateTable('svc_auth.users')
      // Column by column: what else an input holds can reach none (ASVS 5.0 15.3.3, mass assignment).
      .set({ name, version: sql<number>`version + 1` })
      .where('id', '=', userId)
      .where('disabled_at', 'is', null)
      .returningAll()
      .executeTakeFirst();
    if (user === undefined) throw new Unauthenticated();
    await record(context, trx, { type: 'auth.user.renamed', userId }, origin);
    return toUser(user);
  });
}
