import { randomToken, sha256 } from '@svc/core';
import type { Trx } from '@svc/db';
import * as v from 'valibot';
import type { TenancyContext } from './context.ts';
import { tablesOf } from './tables.ts';

/**
 * What `sendMail` is asked to send. It contains no text that somebody else could have chosen, such as the tenant's
 * name: the recipient asked for nothing. The page of the link says who invites.
 */
export interface TenancyMail {
  readonly template: 'invitation';
  readonly to: string;
  readonly data: {
    readonly appName: string;
    readonly link: string;
    readonly expiresInMinutes: number;
  };
}

/** Sends one mail, whose link holds a token: nothing that stores it before. */
export type SendTenancyMail = (mail: TenancyMail) => Promise<unknown>;

/** Which mail to whom, for a queue: no token, no link, no address. */
export const TenancyMailRequestSchema = v.strictObject({
  template: v.literal('invitation'),
  invitationId: v.pipe(v.string(), v.uuid()),
});

/** Which mail to whom; `deliverMail` sends it. */
export type TenancyMailRequest = v.InferOutput<typeof TenancyMailRequestSchema>;

/** Queues a mail in the transaction of its invitation; the job calls `deliverMail`, again where that throws. */
export type QueueTenancyMail = (
  request: TenancyMailRequest,
  options: { within: Trx },
) => Promise<unknown>;

export interface TenancyMailDelivery {
  sendMail: SendTenancyMail;
  publicUrl: URL;
  appName: string;
  path: string;
}

/**
 * Sends the mail of an invitation that is open. Its token is made here and takes the place of the former one, so of any
 * number of deliveries the newest link works.
 *
 * @throws {Error} without the token, where the mail could not be sent.
 */
export async function deliverMail(
  { db, clock, random }: Pick<TenancyContext, 'db' | 'clock' | 'random'>,
  { sendMail, publicUrl, appName, path }: TenancyMailDelivery,
  { invitationId }: TenancyMailRequest,
): Promise<void> {
  const token = randomToken(32, random);
  const now = clock.now();
  const invitation = await tablesOf(db)
    .updateTable('svc_tenancy.invitations as i')
    .from('svc_tenancy.tenants as t')
    .set({ token_hash: sha256(token) })
    .whereRef('t.id', '=', 'i.tenant_id')
    .where('t.deletion_requested_at', 'is', null)
    .where('i.id', '=', invitationId)
    .where('i.accepted_at', 'is', null)
    .where('i.revoked_at', 'is', null)
    .where('i.expires_at', '>', now)
    .returning(['i.email', 'i.expires_at'])
    .executeTakeFirst();
  if (invitation === undefined) return;
  // From settings, never from the Host header, which the sender of a request chooses (OWASP Forgot Password).
  const link = `${publicUrl.href.replace(/\/$/, '')}${path}?token=${token}`;
  const leftMs = invitation.expires_at.getTime() - now.getTime();
  const data = { appName, link, expiresInMinutes: Math.floor(leftMs / 60_000) };
  try {
    await sendMail({ template: 'invitation', to: invitation.email, data });
  } catch (error) {
    // A transport's error may quote the mail it could not send, and who retries may store the error.
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    throw Object.assign(new Error(message.replaceAll(token, '[token]')), { name });
  }
}
