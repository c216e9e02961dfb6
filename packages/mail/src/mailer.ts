import {
  type Clock,
  isFailure,
  type Logger,
  type NewId,
  sha256,
  silentLogger,
  systemClock,
  uuidv7,
} from '@svc/core';
import { type Mailbox, toMailbox } from './address.ts';
import { mailFailed, mailSent } from './events.ts';
import { isHeaderText } from './header-text.ts';
import { isHtml } from './html.ts';
import type { MailContent, Template } from './template.ts';
import type { MailTransport, OutgoingMail, SendOptions } from './transport.ts';

/** To whom a mail goes, and how it is known. */
export interface MailHeaders {
  /** One mailbox: a bare address, or an address with a name. */
  readonly to: string | Mailbox;
  /** @default the mailer's */
  readonly from?: string | Mailbox;
  readonly replyTo?: string | Mailbox;
  /** The same key gives the same Message-ID, so that a mail sent twice can be recognised as one. */
  readonly idempotencyKey?: string;
  /** `<id@domain>`, instead of one made here. */
  readonly messageId?: string;
}

/** A mail with its words. */
export interface WrittenMail extends MailHeaders, MailContent {}

/** A mail from a template, with its data. */
export interface TemplatedMail<Data> extends MailHeaders {
  readonly template: Template<Data>;
  readonly data: NoInfer<Data>;
}

/** A mail that the transport took. */
export interface SentMail {
  readonly messageId: string;
}

export interface Mailer {
  /**
   * Sends one mail to one mailbox; resolves when the transport has taken it.
   *
   * @throws {InvalidAddress} when an address is not one mailbox, or a name holds control characters.
   * @throws {MailUnavailable} when trying again later makes sense; nothing here tries again.
   * @throws {MailRejected} when it does not.
   * @throws {TypeError} when the subject is not one line or the text is empty.
   */
  send<Data>(mail: TemplatedMail<Data>, options?: SendOptions): Promise<SentMail>;
  send(mail: WrittenMail, options?: SendOptions): Promise<SentMail>;
  /** Whether a mail could be sent now: for a readiness check. @throws {MailUnavailable} */
  verify(options?: SendOptions): Promise<void>;
}

export interface MailerOptions {
  transport: MailTransport;
  /** The sender of every mail that names no other. */
  from: string | Mailbox;
  /** What events call this instance. @default 'mail' */
  instance?: string;
  /** @default silentLogger */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** Makes the Message-ID of a mail that brings neither key nor id. @default uuidv7 */
  newId?: NewId;
}

/** Sends mail through a transport: checks it, gives it a Message-ID, logs and publishes what became of it. */
export function createMailer({
  transport,
  from,
  instance = 'mail',
  logger = silentLogger,
  clock = systemClock,
  newId = uuidv7,
}: MailerOptions): Mailer {
  const sender = toMailbox(from);

  const compose = (headers: MailHeaders, { subject, text, html }: MailContent): OutgoingMail => {
    checkContent({ subject, text, ...(html === undefined ? {} : { html }) });
    const mailbox = headers.from === undefined ? sender : toMailbox(headers.from);
    return {
      messageId: messageIdOf(headers, mailbox, newId),
      date: clock.now(),
      from: mailbox,
      to: toMailbox(headers.to),
      ...(headers.replyTo === undefined ? {} : { replyTo: toMailbox(headers.replyTo) }),
      subject,
      text,
      ...(html === undefined ? {} : { html: html.toString() }),
    };
  };

  const deliver = async (
    mail: OutgoingMail,
    template: string | null,
    options?: SendOptions,
  ): Promise<SentMail> => {
    const { messageId } = mail;
    const startedMs = clock.elapsedMs();
    const outcome = () => ({
      messageId,
      template,
      transport: transport.name,
      durationMs: clock.elapsedMs() - startedMs,
    });
    try {
      await transport.send(mail, options);
    } catch (error) {
      const code = isFailure(error) ? error.code : null;
      logger.warn({ ...outcome(), code, err: error }, 'mail not sent');
      mailFailed.publish(instance, { ...outcome(), code });
      throw error;
    }
    logger.info(outcome(), 'mail sent');
    mailSent.publish(instance, outcome());
    return { messageId };
  };

  return {
    async send<Data>(mail: WrittenMail | TemplatedMail<Data>, options?: SendOptions) {
      if ('template' in mail) {
        return deliver(compose(mail, mail.template.render(mail.data)), mail.template.name, options);
      }
      return deliver(compose(mail, mail), null, options);
    },
    verify: (options) => transport.verify(options),
  };
}

function checkContent({ subject, text, html }: MailContent): void {
  if (typeof subject !== 'string' || subject.trim() === '' || !isHeaderText(subject)) {
    throw new TypeError('the subject of a mail is one line of text without control characters');
  }
  if (typeof text !== 'string' || text.trim() === '') throw new TypeError('a mail has a text part');
  if (html !== undefined && !isHtml(html)) {
    throw new TypeError('the html of a mail is made with html`…` or rawHtml');
  }
}

// RFC 5322 section 3.6.4, without quoted and literal forms; a line holds at most 998 characters.
const messageIdForm = /^<[\w.!#$%&'*+/=?^`{|}~-]{1,190}@[\w.-]{1,255}>$/;

function messageIdOf(
  { messageId, idempotencyKey }: MailHeaders,
  from: Mailbox,
  newId: NewId,
): string {
  if (messageId !== undefined) {
    if (!messageIdForm.test(messageId))
      throw new TypeError('a Message-ID has the form <id@domain>');
    return messageId;
  }
  // A digest, since a key may hold anything, and what a receiver sees should tell nothing of it.
  const id =
    idempotencyKey === undefined
      ? newId()
      : Buffer.from(sha256(idempotencyKey)).toString('hex').slice(0, 40);
  return `<${id}@${from.address.slice(from.address.lastIndexOf('@') + 1)}>`;
}
