import type { Mailbox } from './address.ts';

/** A mail that is ready to be sent: addresses checked, headers on one line. */
export interface OutgoingMail {
  /** With its angle brackets (RFC 5322 section 3.6.4). */
  readonly messageId: string;
  readonly date: Date;
  readonly from: Mailbox;
  readonly to: Mailbox;
  readonly replyTo?: Mailbox;
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export interface SendOptions {
  /** Gives up; whether the mail was sent is then unknown. */
  readonly signal?: AbortSignal;
}

/**
 * The way mail takes out of the process.
 *
 * A transport sends what it is given and reads no address out of any text: one mail, to one mailbox.
 * It does not try again and does not look for mails it sent before; the same `messageId` goes out
 * with the same mail each time, so that whoever receives it can tell. Its errors hold no credential.
 */
export interface MailTransport {
  /** What logs and events call it. */
  readonly name: string;
  /**
   * Resolves when the other side has taken responsibility for the mail (RFC 5321 section 6.1), not before.
   *
   * @throws {MailUnavailable} when trying again later makes sense. The mail may have been taken all the
   * same: a connection can be lost after the last byte and before the answer.
   * @throws {MailRejected} when it never will be taken.
   * @throws the signal's reason when aborted first.
   */
  send(mail: OutgoingMail, options?: SendOptions): Promise<void>;
  /** Resolves when a mail could be sent now, without sending one. @throws {MailUnavailable} */
  verify(options?: SendOptions): Promise<void>;
}
