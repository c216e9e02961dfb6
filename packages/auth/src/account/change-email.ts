import { constraintOf, type Db, transact } from '@svc/db';
import { sql } from 'kysely';
import { record } from '../acts.ts';
import { afterwards, type AuthContext, type WriteOptions } from '../context.ts';
import { type EmailAddress, parseEmail } from '../email.ts';
import { InvalidToken, Unauthenticated } from '../failures.ts';
import { tokenTtlMs } from '../one-time-tokens.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { tablesOf, type UserRow } from '../tables.ts';
import { findUserByEmail, lockUser, toUser, type User } from '../users.ts';
import { endAccess } from './end-access.ts';

// Whether the address is known must not show: a token is written in any case, and only its mail is for the one or the other.
export async function requestEmailChange(
  context: AuthContext,
  principal: Principal,
  input: { email: string },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const { id: sessionId } = sessionOf(principal);
  const { userId } = principal;
  const email = parseEmail(input.email);
  await transact(within ?? context.db, async (trx) => {
    // A session that a change of password ends at this moment must leave nothing that outlives it.
    await lockUser(trx, userId);
    if (!(await isAlive(trx, sessionId))) throw new Unauthenticated();
    const pending = { email: email.address };
    const token = await context.tokens.issue(trx, 'change_email', userId, pending);
    await record(context, trx, { type: 'auth.email.change_requested', userId }, origin);
    afterwards(context, trx, 'confirm_email_mail', async () => {
      const holder = await findUserByEmail(context.db, email);
      if (holder === undefined || holder.id === userId)
        await context.mailer.confirmEmail(email.address, token, tokenTtlMs.change_email);
      else if (holder.disabled_at === null) await context.mailer.alreadyRegistered(holder.email);
    });
  });
}

// The link may be opened in another browser than the one that asked, so no session is kept.
export async function confirmEmailChange(
  context: AuthContext,
  input: { token: string },
  { within, origin }: WriteOptions = {},
): Promise<User> {
  try {
    return await transact(within ?? context.db, async (trx) => {
      const holder = await context.tokens.holderOf(trx, 'change_email', input.token);
      if (holder === undefined) throw new InvalidToken();
      const former = await lockUser(trx, holder.userId);
      if (former.disabled_at !== null) throw new InvalidToken();
      const token = await context.tokens.consume(trx, 'change_email', input.token);
      if (token === null || token.pending_email === null) throw new InvalidToken();
      const user = await moveTo(trx, former.id, parseEmail(token.pending_email));
      const details = await endAccess(context, trx, user.id, { reason: 'email_changed' });
      const act = { type: 'auth.email.changed', userId: user.id, details } as const;
      await record(context, trx, act, origin);
      afterwards(context, trx, 'email_changed_mail', () =>
        context.mailer.emailChanged(former.email),
      );
      return toUser(user);
    });
  } catch (error) {
    // Somebody else has the address by now; of two who confirm it at once, the database lets one.
    if (constraintOf(error)?.constraint === 'users_email_key') throw new InvalidToken();
    throw error;
  }
}

function moveTo(db: Db, userId: string, email: EmailAddress): Promise<UserRow> {
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
