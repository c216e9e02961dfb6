import { createMailer, type Mailer, InvalidAddress } from '@svc/mail';
import { smtpTransport } from '@svc/mail/smtp';
import { type SmtpSink, startSmtpSink } from '@svc/mail/testing';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';

let sink: SmtpSink;
let mailer: Mailer;
beforeAll(async () => {
  sink = await startSmtpSink();
  mailer = createMailer({ transport: smtpTransport(sink.url), from: 'app@example.com' });
});
beforeEach(() => sink.clear());
afterAll(() => sink.close());

const written = { to: 'ada@example.com', subject: 'Hello', text: 'Hello.' };

const poisons = [
  '\r\nBcc: eve@example.com',
  '\nBcc: eve@example.com',
  '\rBcc: eve@example.com',
  '\r\n\r\n<h1>body</h1>',
  '\0',
  '\x0b',
  '\x0c',
  '\x1b[2J',
  '\x7f',
  '\x85Bcc: eve@example.com',
  '\u2028Bcc: eve@example.com',
  '\u2029',
  '\ud800',
];

test.each(poisons)('a subject with %j is a mistake of the app', async (poison) => {
  await expect(mailer.send({ ...written, subject: `Hello${poison}` })).rejects.toThrow(TypeError);
  expect(sink.mails).toHaveLength(0);
});

test.each([...poisons, '\u202e'])(
  'a name with %j is refused, of the recipient, the sender and who is answered',
  async (poison) => {
    const mailbox = { address: 'ada@example.com', name: `Ada${poison}` };
    for (const who of ['to', 'from', 'replyTo']) {
      await expect(mailer.send({ ...written, [who]: mailbox })).rejects.toThrow(InvalidAddress);
    }
    expect(sink.mails).toHaveLength(0);
  },
);

test.each(poisons)(
  'an address with %j is refused, of the recipient, the sender and who is answered',
  async (poison) => {
    for (const address of [
      `ada@example.com${poison}`,
      `ada${poison}@example.com`,
      `ada@exam${poison}ple.com`,
    ]) {
      for (const who of ['to', 'from', 'replyTo']) {
        await expect(mailer.send({ ...written, [who]: address })).rejects.toThrow(InvalidAddress);
      }
    }
    expect(sink.mails).toHaveLength(0);
  },
);

test.each([
  '<a@b>\r\nBcc: eve@example.com',
  '<a b@example.com>',
  'a@example.com',
  '<a@example.com> <b@example.com>',
  '<a@b\0>',
])('the Message-ID %j is a mistake of the app', async (messageId) => {
  await expect(mailer.send({ ...written, messageId })).rejects.toThrow(TypeError);
  expect(sink.mails).toHaveLength(0);
});

const headersOfAMail = [
  'auto-submitted',
  'content-transfer-encoding',
  'content-type',
  'date',
  'from',
  'message-id',
  'mime-version',
  'reply-to',
  'subject',
  'to',
];

// Pieces that mean something to some parser of mail, between letters of any kind.
const piece = fc.oneof(
  fc.constantFrom(
    '\r\n',
    '\n',
    '\r',
    '\0',
    '\t',
    ':',
    ',',
    ';',
    '<',
    '>',
    '"',
    '\\',
    '(',
    ')',
    '@',
    '=?utf-8?Q?',
    '=?utf-8?B?DQpCY2M6?=',
    '?=',
    '=0D=0A',
    '%0d%0a',
    'Bcc: eve@example.com',
    ' ',
    '\u2028',
    '.',
    '\r\n.\r\n',
    'group:',
  ),
  fc.string({ unit: 'grapheme', maxLength: 6 }),
);
const awkward = fc.array(piece, { minLength: 1, maxLength: 8 }).map((pieces) => pieces.join(''));

test('whatever is tried, what arrives has the headers of one mail to one recipient, with the values that were given', async () => {
  let arrivedMails = 0;
  const attempt = async (subject: string, name: string, key: string, text: string) => {
    sink.clear();
    const mail = {
      to: { address: 'ada@example.com', name },
      from: { address: 'app@example.com', name },
      replyTo: { address: 'help@example.com', name },
    };
    try {
      await mailer.send({ ...mail, subject, text, idempotencyKey: key });
    } catch (error) {
      expect(error instanceof TypeError || error instanceof InvalidAddress).toBe(true);
      expect(sink.mails).toHaveLength(0);
      return;
    }
    arrivedMails += 1;
    expect(sink.mails).toHaveLength(1);
    const arrived = sink.mails[0]!;
    expect(arrived.envelope).toEqual({ from: 'app@example.com', to: ['ada@example.com'] });
    expect(arrived.headers.map((header) => header.name).toSorted()).toEqual(headersOfAMail);
    // Runs of white space are folded as they like; the words and their order are what was given.
    const words = (value: string | undefined) =>
      value
        ?.split(/\s+/)
        .filter((word) => word !== '')
        .join(' ');
    expect(words(arrived.subject)).toBe(words(subject));
    expect(arrived.header('to')[0]).toMatch(/<ada@example\.com>$|^ada@example\.com$/);
  };
  await fc.assert(fc.asyncProperty(awkward, awkward, awkward, awkward, attempt), { numRuns: 200 });
  // Most attempts hold a control character and are refused; the others must have been real mails.
  expect(arrivedMails).toBeGreaterThan(10);
});
