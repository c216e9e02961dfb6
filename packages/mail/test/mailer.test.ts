import {
  createMailer,
  defineTemplate,
  html,
  mailFailed,
  MailRejected,
  mailSent,
  memoryTransport,
} from '@svc/mail';
import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { expect, test } from 'vitest';

const written = { to: 'ada@example.com', subject: 'Hello', text: 'Hello.' };

const open = (options: object = {}) => {
  const transport = memoryTransport();
  const logger = recordingLogger();
  const mailer = createMailer({
    transport,
    from: 'app@example.com',
    logger,
    clock: testClock(),
    ...options,
  });
  return { transport, logger, mailer };
};

test('a mail goes out from the mailer, dated by its clock', async () => {
  const { mailer, transport } = open({ from: { address: 'app@example.com', name: 'The app' } });
  const { messageId } = await mailer.send({ ...written, replyTo: 'help@example.com' });
  expect(await transport.outbox.next({ to: 'ADA@example.com' })).toEqual({
    ...written,
    messageId,
    date: new Date('2026-01-01T00:00:00Z'),
    from: { address: 'app@example.com', name: 'The app' },
    to: { address: 'ada@example.com' },
    replyTo: { address: 'help@example.com' },
  });
});

test('a mail may name its own sender', async () => {
  const { mailer, transport } = open();
  await mailer.send({ ...written, from: 'other@example.org' });
  const mail = await transport.outbox.next();
  expect(mail.from).toEqual({ address: 'other@example.org' });
  expect(mail.messageId).toMatch(/@example\.org>$/);
});

test('a mail without a key has a Message-ID of its own each time', async () => {
  const { mailer } = open();
  const first = await mailer.send(written);
  const second = await mailer.send(written);
  expect(first.messageId).toMatch(/^<[0-9a-f-]{36}@example\.com>$/);
  expect(second.messageId).not.toBe(first.messageId);
});

test('the same key gives the same Message-ID in every process, another key another one, and neither shows the key', async () => {
  const send = (idempotencyKey: string) => open().mailer.send({ ...written, idempotencyKey });
  const first = await send('job-1\r\nBcc: eve@example.com');
  expect(await send('job-1\r\nBcc: eve@example.com')).toEqual(first);
  expect(await send('job-2')).not.toEqual(first);
  expect(first.messageId).toMatch(/^<[0-9a-f]{40}@example\.com>$/);
});

test('a Message-ID that is given is the one that is sent', async () => {
  expect(await open().mailer.send({ ...written, messageId: '<mine.1@example.net>' })).toEqual({
    messageId: '<mine.1@example.net>',
  });
});

test.each([
  ['an empty text', { text: ' \n' }],
  ['no text', { text: undefined }],
  ['an empty subject', { subject: ' ' }],
  ['html that is a plain text', { html: '<b>x</b>' }],
  ['html that came out of JSON', { html: { 'svc.mail.html': '<b>x</b>' } }],
])('%s is a mistake of the app', async (_, changes) => {
  const { mailer, transport } = open();
  await expect(mailer.send({ ...written, ...changes } as never)).rejects.toThrow(TypeError);
  expect(transport.outbox.mails).toHaveLength(0);
});

test('a sender that is not one mailbox is noticed when the mailer is made', () => {
  expect(() => open({ from: 'a@example.com, b@example.com' })).toThrow('not valid');
});

const invitation = defineTemplate<{ name: string; link: string }>({
  name: 'app.invitation',
  subject: ({ name }) => `${name} invites you`,
  text: ({ name, link }) => `${name} invites you:\n${link}\n`,
  html: ({ name, link }) => html`<p>${name} invites you: <a href="${link}">join</a></p>`,
});

test('a template is filled in, with what people typed escaped in the HTML and left alone in the text', async () => {
  const { mailer, transport } = open();
  const data = { name: '<b>Eve</b> & "co"', link: 'https://example.com/?a=1&b=2' };
  await mailer.send({ to: 'ada@example.com', template: invitation, data });
  expect(await transport.outbox.next()).toMatchObject({
    subject: '<b>Eve</b> & "co" invites you',
    text: '<b>Eve</b> & "co" invites you:\nhttps://example.com/?a=1&b=2\n',
    html: '<p>&lt;b&gt;Eve&lt;/b&gt; &amp; &quot;co&quot; invites you: <a href="https://example.com/?a=1&amp;b=2">join</a></p>',
  });
});

test('a template whose data puts a line break into the subject is not sent', async () => {
  const { mailer, transport } = open();
  const data = { name: 'Eve\r\nBcc: all@example.com', link: 'https://example.com' };
  await expect(mailer.send({ to: 'ada@example.com', template: invitation, data })).rejects.toThrow(
    TypeError,
  );
  expect(transport.outbox.mails).toHaveLength(0);
});

test.each(['', 'Invitation', 'app invitation', 'app.', 'app\n'])(
  'a template cannot be named %j',
  (name) => {
    expect(() => defineTemplate({ name, subject: 's', text: () => 't' })).toThrow(TypeError);
  },
);

test('what became of a mail is logged and published, without the address', async () => {
  using sent = recordEvents(mailSent);
  const { mailer, logger } = open({ instance: 'shop' });
  const { messageId } = await mailer.send({
    to: 'ada@example.com',
    template: invitation,
    data: { name: 'Eve', link: 'https://example.com' },
  });
  const outcome = { messageId, template: 'app.invitation', transport: 'memory', durationMs: 0 };
  expect(sent.events).toEqual([{ instance: 'shop', payload: outcome }]);
  expect(logger.lines).toEqual([{ level: 'info', message: 'mail sent', fields: outcome }]);
});

test('what a transport refuses is logged, published and thrown', async () => {
  using failed = recordEvents(mailFailed);
  const refused = new MailRejected();
  const transport = { ...memoryTransport(), send: () => Promise.reject(refused) };
  const { mailer, logger } = open({ transport });
  await expect(mailer.send(written)).rejects.toBe(refused);
  expect(failed.events).toMatchObject([
    { instance: 'mail', payload: { template: null, transport: 'memory', code: 'mail.rejected' } },
  ]);
  expect(logger.lines).toMatchObject([
    { level: 'warn', message: 'mail not sent', fields: { code: 'mail.rejected', err: refused } },
  ]);
  expect(JSON.stringify([failed.events, logger.lines])).not.toContain('ada@');
});

test('waiting for a mail that does not come ends with an error that says which', async () => {
  const clock = testClock();
  const { outbox } = memoryTransport({ clock });
  const waiting = outbox.next({ to: 'ada@example.com', timeoutMs: 2000 });
  const refusal = expect(waiting).rejects.toThrow(
    'no mail to ada@example.com arrived within 2000 ms',
  );
  await clock.advance('2s');
  await refusal;
});

test('each mail is handed out once, to the one who waits for its recipient', async () => {
  const clock = testClock();
  const transport = memoryTransport({ clock });
  const { mailer } = open({ transport });
  const forAda = transport.outbox.next({ to: 'ada@example.com' });
  const forEve = transport.outbox.next({ to: 'eve@example.com' });
  await mailer.send({ ...written, to: 'eve@example.com', subject: 'one' });
  await mailer.send({ ...written, subject: 'two' });
  await mailer.send({ ...written, subject: 'three' });
  expect([
    (await forAda).subject,
    (await forEve).subject,
    (await transport.outbox.next()).subject,
  ]).toEqual(['two', 'one', 'three']);
  expect(transport.outbox.mails).toHaveLength(3);
  expect(clock.sleeping).toBe(0);
});
