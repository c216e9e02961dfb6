import { type Logger } from '@svc/core';
import { afterCommit, type Trx } from '@svc/db';
import * as v from 'valibot';
import type { Background } from './background.ts';
import { securityChanges } from './mails.ts';
import { cleanOrigin, type Origin } from './origin.ts';

const userId = v.pipe(v.string(), v.uuid());
// What a request says of itself goes into the log of acts and never into a mail.
const originText = v.optional(v.pipe(v.string(), v.maxLength(200)));
const origin = v.strictObject({ address: originText, requestId: originText });
/** The address on file when it happened: whoever has the account since shall not be the one who is told. */
const email = v.optional(v.pipe(v.string(), v.maxLength(254)));

/**
 * Which mail to whom, for a queue: no token, no link, no text of anybody's. Where an address was typed, `userId` is the
 * user who has it or an id that is nobody's, made up for the purpose: so a request queues the same whether or not the
 * address is known, the queue keeps no address that strangers type, and who has it is decided once.
 */
export const MailRequestSchema = v.variant('template', [
  v.strictObject({ template: v.literal('verify'), userId, origin }),
  v.strictObject({ template: v.literal('already_registered'), userId }),
  v.strictObject({
    template: v.literal('reset_password'),
    userId,
    /** One that was asked for before the password or the address was changed is not sent any more. */
    requestedAt: v.pipe(v.string(), v.isoTimestamp()),
    cause: v.picklist(['asked_for', 'contested_registration']),
    origin,
  }),
  v.strictObject({ template: v.literal('confirm_email'), userId }),
  v.strictObject({ template: v.literal('password_changed'), userId, email }),
  v.strictObject({ template: v.literal('email_changed'), userId, email }),
  v.strictObject({
    template: v.literal('security_notice'),
    userId,
    email,
    change: v.picklist(securityChanges),
  }),
]);

/** Which mail to whom; `deliverMail` sends it. */
export type MailRequest = v.InferOutput<typeof MailRequestSchema>;

/** Queues a mail in the transaction of what it tells; the job calls `deliverMail`, again where that throws. */
export type QueueMail = (request: MailRequest, options: { within: Trx }) => Promise<unknown>;

/** What of an origin may wait in a queue: not the user agent, which anybody may write. */
export function queuedOrigin(from?: Origin): v.InferOutput<typeof origin> {
  const { address, requestId } = cleanOrigin(from);
  return { address, requestId };
}

/** The queue of an app that has none: after the commit, in this process, once. */
export function memoryQueue(
  deliver: (request: MailRequest) => Promise<void>,
  { background, logger }: { background: Background; logger: Logger },
): QueueMail {
  return async (request, { within }) => {
    const { template } = request;
    const run = async () => {
      try {
        await deliver(request);
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        logger.error({ template, error: { name, message } }, 'a mail could not be sent');
      }
    };
    afterCommit(within, () => background.run('mail', run));
  };
}
