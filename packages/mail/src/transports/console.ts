import type { Mailbox } from '../address.ts';
import type { MailTransport, OutgoingMail } from '../transport.ts';

export interface ConsoleTransportOptions {
  /** Where a mail is printed. @default process.stdout.write */
  write?: (text: string) => void;
}

/** Prints the text of each mail instead of sending it, for a person who runs the app on their own machine. */
export function consoleTransport({
  write = (text) => void process.stdout.write(text),
}: ConsoleTransportOptions = {}): MailTransport {
  return {
    name: 'console',
    async send(mail, { signal } = {}) {
      signal?.throwIfAborted();
      write(print(mail));
    },
    async verify() {},
  };
}

const ruler = '─'.repeat(72);

function print(mail: OutgoingMail): string {
  const headers = [
    `From:       ${show(mail.from)}`,
    `To:         ${show(mail.to)}`,
    ...(mail.replyTo === undefined ? [] : [`Reply-To:   ${show(mail.replyTo)}`]),
    `Subject:    ${mail.subject}`,
    `Message-ID: ${mail.messageId}`,
  ].map(printable);
  return [ruler, ...headers, '', printable(mail.text.trimEnd()), ruler, ''].join('\n');
}

function show({ name, address }: Mailbox): string {
  return name === undefined ? address : `${name} <${address}>`;
}

// A mail may quote what a person typed, and a terminal obeys escape sequences.
function printable(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(/[^\P{Cc}\n\t]/gu, '\ufffd');
}
