import { type Clock, systemClock } from '@svc/core';
import { createTransport } from 'nodemailer';
import { MailUnavailable } from '../failures.ts';
import type { Mailbox } from '../address.ts';
import type { MailTransport, OutgoingMail } from '../transport.ts';
import { createSlots } from './slots.ts';
import { toMailFailure } from './smtp-errors.ts';
import { parseSmtpUrl, securityOf, type SmtpServer } from './smtp-url.ts';

export type { SmtpServer } from './smtp-url.ts';

export interface SmtpTransportOptions extends SmtpServer {
  /** Certificate authorities to trust instead of the machine's, in PEM. @default the machine's */
  ca?: string;
  /** For the connection and the greeting, in milliseconds. @default 10000 */
  connectTimeoutMs?: number;
  /** For one mail from the call to the server's last word, waiting for a connection included, in milliseconds. @default 30000 */
  timeoutMs?: number;
  /** Connections open at once; each mail has one of its own. @default 5 */
  maxConnections?: number;
  /** @default systemClock */
  clock?: Clock;
}

/**
 * Sends mail by SMTP (RFC 5321), `smtpTransport('smtps://user:password@mail.example.com')`. Certificates
 * are always checked. Opens nothing until a mail is sent, and keeps nothing open after.
 *
 * @throws {TypeError} when the server is not well described, or credentials would go over a network in the clear.
 */
export function smtpTransport(server: string | SmtpTransportOptions): MailTransport {
  const options: SmtpTransportOptions = typeof server === 'string' ? parseSmtpUrl(server) : server;
  const { timeoutMs = 30_000, maxConnections = 5, clock = systemClock } = options;
  const slots = createSlots(maxConnections);

  // One deadline over everything: nodemailer's own limits are of idleness, which a slow server never reaches.
  const limited = async (
    signal: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<unknown>,
  ) => {
    signal?.throwIfAborted();
    const finished = new AbortController();
    const deadline = new AbortController();
    const timeUp = clock.sleep(timeoutMs, finished.signal).then(
      () => deadline.abort(),
      () => {}, // aborted below: the work was done in time
    );
    const either =
      signal === undefined ? deadline.signal : AbortSignal.any([signal, deadline.signal]);
    try {
      await slots.run(() => work(either), either);
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      if (deadline.signal.aborted)
        throw new MailUnavailable(
          {},
          { cause: new Error(`SMTP: no answer within ${timeoutMs} ms`) },
        );
      throw toMailFailure(error);
    } finally {
      finished.abort();
      await timeUp;
    }
  };

  const mailer = createTransport(connectionOptions(options));
  return {
    name: 'smtp',
    send: (mail, { signal } = {}) =>
      limited(signal, (either) => mailer.sendMail({ ...toMessage(mail), signal: either })),
    verify: ({ signal } = {}) => limited(signal, (either) => untilAborted(mailer.verify(), either)),
  };
}

function connectionOptions({
  host,
  tls,
  port,
  user,
  password,
  ca,
  connectTimeoutMs = 10_000,
  timeoutMs = 30_000,
}: SmtpTransportOptions) {
  const mode = securityOf({ host, ...(tls && { tls }), ...(user !== undefined && { user }) });
  return {
    host,
    port: port ?? (mode === 'implicit' ? 465 : 587),
    secure: mode === 'implicit',
    requireTLS: mode === 'starttls',
    ignoreTLS: mode === 'off',
    tls: {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2' as const,
      ...(ca === undefined ? {} : { ca }),
    },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    dnsTimeout: connectTimeoutMs,
    connectionTimeout: connectTimeoutMs,
    greetingTimeout: connectTimeoutMs,
    socketTimeout: timeoutMs,
    socketCloseTimeout: 1000,
    // Nothing in a mail may name a file or a URL for nodemailer to read.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function toMessage({ from, to, replyTo, html, ...mail }: OutgoingMail) {
  return {
    // The envelope is ours: nodemailer would otherwise read it out of the headers.
    envelope: { from: from.address, to: [to.address] },
    from: toAddress(from),
    to: toAddress(to),
    ...(replyTo === undefined ? {} : { replyTo: toAddress(replyTo) }),
    ...(html === undefined ? {} : { html }),
    messageId: mail.messageId,
    date: mail.date,
    subject: mail.subject,
    text: mail.text,
    // RFC 3834 section 5: so that holiday notices do not answer.
    headers: { 'Auto-Submitted': 'auto-generated' },
    xMailer: false as const,
  };
}

function toAddress({ address, name = '' }: Mailbox) {
  return { address, name };
}

// `verify` takes no signal; its connection ends by the limits above.
function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
