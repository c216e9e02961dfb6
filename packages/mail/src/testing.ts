import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { MailTransport, OutgoingMail } from './transport.ts';

export { type MimeHeader, type MimeMessage, parseMimeMessage } from './mime-message.ts';
export type { NextOptions, Outbox } from './outbox.ts';
export {
  type ReceivedMail,
  type SmtpSink,
  type SmtpSinkOptions,
  startSmtpSink,
} from './smtp-sink.ts';

/** What came out at the other end of a transport. */
export interface ArrivedMail {
  readonly messageId: string;
  /** The address the mail was carried to. */
  readonly to: string;
  /** The sender as shown: its name, if any, and its address. */
  readonly from: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string | undefined;
}

/** A transport and a way to see what comes out of it. */
export interface MailTransportHarness {
  transport: MailTransport;
  /** Every mail that came out so far. */
  arrived(): readonly ArrivedMail[] | Promise<readonly ArrivedMail[]>;
  close?(): Promise<void>;
}

export interface DescribeMailTransportOptions {
  /** Promises that this transport does not make, and why. @default none */
  skip?: readonly SkippedPromise[];
}

const mail = (changes: Partial<OutgoingMail> = {}): OutgoingMail => ({
  messageId: '<1@example.com>',
  date: new Date('2026-01-01T00:00:00Z'),
  from: { address: 'app@example.com' },
  to: { address: 'ada@example.com' },
  subject: 'Hello',
  text: 'Hello, Ada.',
  ...changes,
});

const awkwardText = [
  '.',
  '..a line that begins with a dot',
  'From here on',
  'Grüße, 你好, 🦄, \u202bשלום\u202c',
  'a=b =3D trailing equals=',
  `long ${'x'.repeat(2000)}`,
  'Subject: not a header',
  '',
  'last',
].join('\n');

/** The promises of `MailTransport`, as tests: run it on every transport. */
export function describeMailTransport(
  name: string,
  open: () => MailTransportHarness | Promise<MailTransportHarness>,
  { skip = [] }: DescribeMailTransportOptions = {},
): void {
  describe(`${name} as a mail transport`, () => {
    let harness: MailTransportHarness;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close?.());

    const promise = contractTest(test, skip);

    const sendOne = async (changes: Partial<OutgoingMail>) => {
      await harness.transport.send(mail(changes));
      const arrived = await harness.arrived();
      expect(arrived).toHaveLength(1);
      return arrived[0] as ArrivedMail;
    };

    promise('carries a mail to its recipient before the call resolves', async () => {
      expect(await sendOne({})).toMatchObject({
        messageId: '<1@example.com>',
        to: 'ada@example.com',
        from: expect.stringContaining('app@example.com'),
        subject: 'Hello',
        text: expect.stringContaining('Hello, Ada.'),
      });
    });

    promise('keeps names and subjects of any script', async () => {
      const arrived = await sendOne({
        from: { address: 'app@example.com', name: 'Zoë "the" Müller, 部長' },
        subject: `Ünïcode 你好 🦄 ${'ß'.repeat(120)}`,
      });
      expect(arrived.from.replace(/\\?"/g, '')).toContain('Zoë the Müller, 部長');
      expect(arrived.subject).toBe(`Ünïcode 你好 🦄 ${'ß'.repeat(120)}`);
    });

    promise('keeps the text as it is, whatever its lines look like', async () => {
      const arrived = await sendOne({ text: awkwardText });
      expect(arrived.text.replaceAll('\r\n', '\n').trimEnd()).toBe(awkwardText);
    });

    promise('carries HTML beside the text', async () => {
      const arrived = await sendOne({ html: '<p>Hello, <b>Ada</b> &amp; 你好.</p>' });
      expect(arrived.html?.trimEnd()).toBe('<p>Hello, <b>Ada</b> &amp; 你好.</p>');
      expect(arrived.text.trimEnd()).toBe('Hello, Ada.');
    });

    promise('reads no address out of a name', async () => {
      const arrived = await sendOne({
        to: { address: 'ada@example.com', name: 'eve@example.com, <eve@example.com>' },
      });
      expect(arrived.to).toBe('ada@example.com');
    });

    promise('carries each of many at once exactly once', async () => {
      const ids = Array.from({ length: 30 }, (_, index) => `<${index}@example.com>`);
      await Promise.all(ids.map((messageId) => harness.transport.send(mail({ messageId }))));
      const arrived = await harness.arrived();
      expect(arrived.map(({ messageId }) => messageId).toSorted()).toEqual(ids.toSorted());
    });

    promise('sends nothing when it is aborted before it begins', async () => {
      const reason = new Error('changed my mind');
      const sending = harness.transport.send(mail(), { signal: AbortSignal.abort(reason) });
      await expect(sending).rejects.toBe(reason);
      expect(await harness.arrived()).toHaveLength(0);
    });

    promise('says that it can send without sending', async () => {
      await harness.transport.verify();
      expect(await harness.arrived()).toHaveLength(0);
    });
  });
}
