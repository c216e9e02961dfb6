import type { AddressInfo } from 'node:net';
import { domainToASCII } from 'node:url';
import { type Clock, systemClock } from '@svc/core';
import { type MimeHeader, parseMimeMessage } from './mime-message.ts';
import { createOutbox, type Outbox } from './outbox.ts';

/** A mail as it came over the wire. */
export interface ReceivedMail {
  /** What the client said before the message (RFC 5321): this is where a mail really goes. */
  readonly envelope: { readonly from: string; readonly to: readonly string[] };
  /** Every header line, in order, decoded. */
  readonly headers: readonly MimeHeader[];
  /** The values of a header, in order; none when it is absent. */
  header(name: string): readonly string[];
  readonly messageId: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
  /** The message, byte for byte. */
  readonly raw: Uint8Array;
  /** Whether it came over TLS. */
  readonly secure: boolean;
}

export interface SmtpSinkOptions {
  /** @default 0: any free one */
  port?: number;
  /** Asks clients for these. @default none */
  credentials?: { user: string; password: string };
  /** Offers STARTTLS with these, or TLS from the first byte. @default none */
  tls?: { key: string; cert: string; implicit?: boolean };
  /** The SMTP status to answer for a recipient; `undefined` takes the mail. @default takes all */
  refuse?: (to: string) => number | undefined;
  /** @default systemClock */
  clock?: Clock;
}

/** An SMTP server that keeps what it is sent. */
export interface SmtpSink extends Outbox<ReceivedMail>, AsyncDisposable {
  /** For `SMTP_URL`, without credentials. */
  readonly url: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Ends every connection and frees the port. */
  close(): Promise<void>;
}

const largestMailBytes = 10 * 1024 * 1024;

/** Starts a real SMTP server on 127.0.0.1 that delivers nothing and lets tests wait for mail. Needs `smtp-server`. */
export async function startSmtpSink({
  port = 0,
  credentials,
  tls,
  refuse = () => undefined,
  clock = systemClock,
}: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const { SMTPServer } = await import('smtp-server');
  const outbox = createOutbox<ReceivedMail>(({ envelope }) => envelope.to, clock);
  const server = new SMTPServer({
    banner: 'sink',
    ...(tls === undefined ? {} : { secure: tls.implicit === true, key: tls.key, cert: tls.cert }),
    disabledCommands: [
      ...(tls === undefined ? ['STARTTLS'] : []),
      ...(credentials === undefined ? ['AUTH'] : []),
    ],
    allowInsecureAuth: true,
    authOptional: credentials === undefined,
    disableReverseLookup: true,
    size: largestMailBytes,
    closeTimeout: 100,
    onAuth({ username, password }, _session, done) {
      const known = username === credentials?.user && password === credentials?.password;
      // Servers in the wild quote what they were given: clients must not pass that on.
      if (known) done(null, { user: username });
      else done(new Error(`no such user or password: ${username} ${password}`));
    },
    onRcptTo({ address }, _session, done) {
      const status = refuse(address);
      if (status === undefined) done();
      else done(Object.assign(new Error(`not taken: ${address}`), { responseCode: status }));
    },
    onData(stream, { envelope, secure }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const from = envelope.mailFrom === false ? '' : onTheWire(envelope.mailFrom.address);
        const to = envelope.rcptTo.map(({ address }) => onTheWire(address));
        outbox.add(toReceived(Buffer.concat(chunks), { from, to }, secure));
        done();
      });
    },
  });
  // A client that hangs up or fails its handshake is that client's affair.
  server.on('error', () => {});
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });

  const { port: actualPort } = server.server.address() as AddressInfo;
  const close = () => new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    get mails() {
      return outbox.mails;
    },
    next: outbox.next,
    clear: outbox.clear,
    url: `${tls?.implicit === true ? 'smtps' : 'smtp'}://127.0.0.1:${actualPort}`,
    port: actualPort,
    get connections() {
      return server.connections.size;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

// smtp-server shows international domains in Unicode, whichever way they came.
function onTheWire(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  return address.slice(0, at) + domainToASCII(address.slice(at));
}

function toReceived(
  raw: Uint8Array,
  envelope: ReceivedMail['envelope'],
  secure: boolean,
): ReceivedMail {
  const { headers, text, html } = parseMimeMessage(raw);
  const header = (name: string) =>
    headers.filter((each) => each.name === name.toLowerCase()).map(({ value }) => value);
  return {
    envelope,
    headers,
    header,
    messageId: header('message-id')[0] ?? '',
    subject: header('subject')[0] ?? '',
    text,
    html,
    raw,
    secure,
  };
}
