import { constraintOf, type Db, transact } from '@svc/db';
import { sql } from 'kysely';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { InvalidToken, Unauthenticated } from '../failures.ts';
import { demandTenant, type ScopedEmail, scopedEmail } from '../identity-scope.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { tablesOf, type UserRow } from '../tables.ts';
import { lockUser, toUser, type User } from '../users.ts';
import { endAccess } from './end-access.ts';

// Whether the address is known must not show: it waits in any case, and is looked up when the mail is sent.
export async function requestEmailChange(
  context: AuthContext,
  principal: Principal,
  input: { email: string },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const { id: sessionId } = sessionOf(principal);
  const { userId, user } = principal;
  const email = scopedEmail(input.email, user.tenantId);
  await transact(within ?? context.db, async (trx) => {
    // A session that a change of password ends at this moment must leave nothing that outlives it.
    await lockUser(trx, userId);
    if (!(await isAlive(trx, sessionId))) throw new Unauthenticated();
    await context.tokens.wait(trx, 'change_email', userId, { email: email.address });
    await record(context, trx, { type: 'auth.email.change_requested', userId }, origin);
    await context.queueMail({ template: 'confirm_email', userId }, { within: trx });
  });
}

// The link may be opened in another browser than the one that asked, so no session is kept.
export async function confirmEmailChange(
  context: AuthContext,
  input: { token: string },
  { within, origin }: WriteOptions = {},
): Promise<User> {
  const tenantId = demandTenant(context, origin);
  try {
    return await transact(within ?? context.db, async (trx) => {
      const holder = await context.tokens.holderOf(trx, 'change_email', input.token, tenantId);
      if (holder === undefined) throw new InvalidToken();
      const former = await lockUser(trx, holder.userId);
      if (former.disabled_at !== null) throw new InvalidToken();
      const token = await context.tokens.consume(trx, 'change_email', input.token);
      if (token === null || token.pending_email === null) throw new InvalidToken();
      const user = await moveTo(trx, former.id, scopedEmail(token.pending_email, tenantId));
      const details = await endAccess(context, trx, user.id, { reason: 'email_changed' });
      const act = { type: 'auth.email.changed', userId: user.id, details } as const;
      await record(context, trx, act, origin);
      const notice = { template: 'email_changed', userId: user.id, email: former.email } as const;
      await context.queueMail(notice, { within: trx });
      return toUser(user);
    });
  } catch (error) {
    // Somebody else has the address by now; of two who confirm it at once, the database lets one.
    if (constraintOf(error)?.constraint === 'users_email_key') throw new InvalidToken();
    throw error;
  }
}

function moveTo(db: Db, userId: string, email: ScopedEmail): Promise<UserRow> {
  return tablesOf(db)
    .updateTable('svc_auth.users')
    .set({
      email: email.address,
      email_normalized: email.normalized,
      version: sql<number>`version + 1`,
    })
    .where('id', '=', userId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

async function isAlive(db: Db, sessionId: string): Promise<boolean> {
  const row = await tablesOf(db)
    .selectFrom('svc_auth.sessions')
    .select('id')
    .where('id', '=', sessionId)
    .where('revoked_at', 'is', null)
    .executeTakeFirst();
  return row !== undefined;
}
