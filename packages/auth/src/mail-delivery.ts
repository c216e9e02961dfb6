import { transact, type Trx } from '@svc/db';
import { record } from './acts.ts';
import type { AuthContext } from './context.ts';
import { scopedEmail } from './identity-scope.ts';
import type { MailRequest } from './mail-requests.ts';
import type { AuthMail, SendMail } from './mails.ts';
import { type TokenPurpose, tokenTtlMs } from './one-time-tokens.ts';
import { findPassword } from './account/own-password.ts';
import type { UserRow } from './tables.ts';
import { findUserByEmail, lockUserIfAny } from './users.ts';

export interface MailDelivery {
  sendMail: SendMail;
  /** Where links lead, under the URL at which the user reaches the app. */
  paths: Readonly<Record<TokenPurpose, string>>;
}

type Request<Template extends MailRequest['template']> = Extract<
  MailRequest,
  { template: Template }
>;

/** A mail without its link. */
interface Letter {
  readonly template: AuthMail['template'];
  readonly to: string;
  readonly tenantId: string | null;
  readonly data?: object;
  /** What the link is for; without, it leads to the app. */
  readonly token?: { readonly purpose: TokenPurpose; readonly value: string };
}

/**
 * Sends one mail that was asked for. Looks again, because meanwhile it may be over: then nothing is sent. A token is
 * made here and takes the place of the former one, so of any number of deliveries the newest link works.
 *
 * @throws {Error} without the token, where the mail could not be sent.
 */
export async function deliverMail(
  context: AuthContext,
  delivery: MailDelivery,
  request: MailRequest,
): Promise<void> {
  const letter = await transact(context.db, async (trx) => {
    const user = await lockUserIfAny(trx, request.userId);
    if (user === undefined || user.disabled_at !== null) return null;
    return write(context, trx, user, request);
  });
  if (letter === null) return;
  // From settings, never from the Host header, which the sender of a request chooses (OWASP Forgot Password).
  const home = (await context.urlOf(letter.tenantId)).href;
  const { template, to, token, data } = letter;
  const base = home.replace(/\/$/, '');
  const link =
    token === undefined ? home : `${base}${delivery.paths[token.purpose]}?token=${token.value}`;
  const expires = token && { expiresInMinutes: tokenTtlMs[token.purpose] / 60_000 };
  const mail = { template, to, data: { appName: context.appName, link, ...expires, ...data } };
  try {
    await delivery.sendMail(mail as AuthMail);
  } catch (error) {
    throw token === undefined ? error : withoutSecret(error, token.value);
  }
}

function write(
  context: AuthContext,
  trx: Trx,
  user: UserRow,
  request: MailRequest,
): Promise<Letter | null> {
  switch (request.template) {
    case 'verify':
      return writeVerify(context, trx, user, request);
    case 'reset_password':
      return writeReset(context, trx, user, request);
    case 'confirm_email':
      return writeConfirm(context, trx, user);
    case 'already_registered':
      return Promise.resolve({ ...toOwner(user), template: 'already_registered' });
    default:
      return Promise.resolve(writeNotice(user, request));
  }
}

async function writeVerify(
  context: AuthContext,
  trx: Trx,
  user: UserRow,
  { origin }: Request<'verify'>,
): Promise<Letter | null> {
  const waiting =
    user.verified_at === null && (await context.tokens.waiting(trx, 'verify', user.id));
  if (!waiting) return null;
  // The first link stands in the log as the registration.
  if (waiting.token_hash !== null) {
    const actor = { type: 'anonymous', id: null } as const;
    const act = { type: 'auth.user.verification_resent', userId: user.id, actor } as const;
    await record(context, trx, act, origin);
  }
  const value = await context.tokens.mint(trx, waiting);
  return { ...toOwner(user), template: 'verify', token: { purpose: 'verify', value } };
}

async function writeReset(
  context: AuthContext,
  trx: Trx,
  user: UserRow,
  { requestedAt, cause, origin }: Request<'reset_password'>,
): Promise<Letter | null> {
  // A change of password or address voids the links before it, and so those that were still to be mailed.
  const since = new Date(requestedAt);
  const password = await findPassword(trx, user.id);
  if (password !== undefined && password.changed_at > since) return null;
  if (await context.tokens.isUsedSince(trx, 'change_email', user.id, since)) return null;
  const actor =
    cause === 'asked_for'
      ? ({ type: 'anonymous', id: null } as const)
      : ({ type: 'system', id: null, reason: 'contested registration' } as const);
  const act = { type: 'auth.password.reset_requested', userId: user.id, actor } as const;
  await record(context, trx, act, origin);
  const value = await context.tokens.issue(trx, 'reset_password', user.id);
  const token = { purpose: 'reset_password', value } as const;
  return { ...toOwner(user), template: 'reset_password', token };
}

// To the address that waits, unless somebody has it: then to them, that it has an account.
async function writeConfirm(context: AuthContext, trx: Trx, user: UserRow): Promise<Letter | null> {
  const waiting = await context.tokens.waiting(trx, 'change_email', user.id);
  if (!waiting?.pending_email || waiting.expires_at <= context.clock.now()) return null;
  const email = scopedEmail(waiting.pending_email, user.tenant_id);
  const holder = await findUserByEmail(trx, email);
  if (holder !== undefined && holder.id !== user.id)
    return holder.disabled_at === null
      ? { ...toOwner(holder), template: 'already_registered' }
      : null;
  const value = await context.tokens.mint(trx, waiting);
  const token = { purpose: 'change_email', value } as const;
  return { ...toOwner(user), to: email.address, template: 'confirm_email', token };
}

function writeNotice(
  user: UserRow,
  request: Request<'password_changed' | 'email_changed' | 'security_notice'>,
): Letter | null {
  if (user.verified_at === null) return null;
  const { template, email = user.email } = request;
  const data = template === 'security_notice' ? { change: request.change } : {};
  return { ...toOwner(user), to: email, template, data };
}

const toOwner = (user: UserRow) => ({ to: user.email, tenantId: user.tenant_id });

// A transport's error may quote the mail it could not send, and who retries may store the error.
function withoutSecret(error: unknown, token: string): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return Object.assign(new Error(message.replaceAll(token, '[token]')), { name });
}
