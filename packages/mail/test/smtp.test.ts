import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { inspect } from 'node:util';
import { createMailer, MailRejected, MailUnavailable } from '@svc/mail';
import { smtpTransport, type SmtpTransportOptions } from '@svc/mail/smtp';
import { startSmtpSink } from '@svc/mail/testing';
import { testClock } from '@svc/core/testing';
import { expect, test } from 'vitest';
import { cert, key } from './self-signed.ts';

const written = { to: 'ada@example.com', subject: 'Hello', text: 'Hello.' };
const mailerTo = (server: string | SmtpTransportOptions) =>
  createMailer({ transport: smtpTransport(server), from: 'app@example.com' });
const failureOf = (sending: Promise<unknown>): Promise<Error & { code: string }> =>
  sending.then(
    () => Promise.reject(new Error('it was sent')),
    (error) => error,
  );

test('a mail says that a program wrote it, and not which', async () => {
  await using sink = await startSmtpSink();
  await mailerTo(sink.url).send(written);
  const mail = await sink.next({ to: 'ada@example.com' });
  expect(mail.header('Auto-Submitted')).toEqual(['auto-generated']);
  expect(Buffer.from(mail.raw).toString()).not.toMatch(/nodemailer/i);
});

test('an international domain is addressed in ASCII, in the envelope and in the header', async () => {
  await using sink = await startSmtpSink();
  await mailerTo(sink.url).send({ ...written, to: 'ada@bücher.example' });
  const mail = await sink.next();
  expect(mail.envelope.to).toEqual(['ada@xn--bcher-kva.example']);
  expect(Buffer.from(mail.raw).toString()).toContain('ada@xn--bcher-kva.example');
});

test('no connection stays open after a mail, and no more than allowed are open at once', async () => {
  await using sink = await startSmtpSink();
  const mailer = mailerTo({ host: '127.0.0.1', port: sink.port, maxConnections: 2 });
  let most = 0;
  const sending = Array.from({ length: 12 }, async () => {
    await mailer.send(written);
    most = Math.max(most, sink.connections);
  });
  await Promise.all(sending);
  expect(sink.mails).toHaveLength(12);
  // The server may notice the end of a connection after the next one began.
  expect(most).toBeLessThanOrEqual(4);
});

test.each([
  ['a recipient that does not exist', 550, MailRejected],
  ['a recipient that is to be tried later', 450, MailUnavailable],
])('%s is the failure that says so', async (_, status, Failure) => {
  await using sink = await startSmtpSink({ refuse: () => status });
  const error = await failureOf(mailerTo(sink.url).send(written));
  expect(error).toBeInstanceOf(Failure);
  expect(inspect(error)).toContain(String(status));
  expect(inspect(error)).not.toContain('ada@example.com');
});

test('a server that is not there is a failure to try again after', async () => {
  const sink = await startSmtpSink();
  await sink.close();
  const mailer = mailerTo(sink.url);
  const error = await failureOf(mailer.send(written));
  expect(error).toBeInstanceOf(MailUnavailable);
  expect(inspect(error)).toContain('ECONNREFUSED');
  await expect(mailer.verify()).rejects.toThrow(MailUnavailable);
});

test('credentials are used, and are in no error when the server refuses them and quotes them', async () => {
  await using sink = await startSmtpSink({
    credentials: { user: 'app@mail', password: 'p@ss:wörd' },
  });
  await mailerTo(
    `smtp://app%40mail:${encodeURIComponent('p@ss:wörd')}@127.0.0.1:${sink.port}`,
  ).send(written);
  expect(sink.mails).toHaveLength(1);

  const refused = mailerTo(`smtp://topuser:topsecret@127.0.0.1:${sink.port}`);
  for (const error of [await failureOf(refused.send(written)), await failureOf(refused.verify())]) {
    expect(error).toBeInstanceOf(MailUnavailable);
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    expect(shown).toContain('535');
    for (const secret of [
      'topuser',
      'topsecret',
      Buffer.from('topsecret').toString('base64'),
      Buffer.from('\0topuser\0topsecret').toString('base64'),
    ]) {
      expect(shown).not.toContain(secret);
    }
  }
});

test('with STARTTLS asked for, a mail goes over TLS, and not at all where the server does not offer it', async () => {
  await using sink = await startSmtpSink({ tls: { key, cert } });
  await mailerTo({ host: 'localhost', port: sink.port, tls: 'starttls', ca: cert }).send(written);
  expect((await sink.next()).secure).toBe(true);

  await using plain = await startSmtpSink();
  const error = await failureOf(mailerTo(`${plain.url}?tls=starttls`).send(written));
  expect(error).toBeInstanceOf(MailUnavailable);
  expect(plain.mails).toHaveLength(0);
});

test('with smtps, a mail goes over TLS to a server whose certificate is trusted, and to no other', async () => {
  await using sink = await startSmtpSink({ tls: { key, cert, implicit: true } });
  await mailerTo({ host: 'localhost', port: sink.port, tls: 'implicit', ca: cert }).send(written);
  expect((await sink.next()).secure).toBe(true);

  const error = await failureOf(mailerTo(sink.url).send(written));
  expect(error).toBeInstanceOf(MailUnavailable);
  expect(sink.mails).toHaveLength(1);
});

test('a server that never answers is given up at the deadline', async () => {
  await using silent = await startSilentServer();
  const clock = testClock();
  const transport = smtpTransport({
    host: '127.0.0.1',
    port: silent.port,
    timeoutMs: 20_000,
    clock,
  });
  const sending = failureOf(createMailer({ transport, from: 'app@example.com' }).send(written));
  await silent.connected;
  await clock.advance('20s');
  const error = await sending;
  expect(error).toBeInstanceOf(MailUnavailable);
  expect(inspect(error)).toContain('20000 ms');
  expect(clock.sleeping).toBe(0);
});

test('a mail that waits for a connection can be called off, and the next one still gets its turn', async () => {
  await using silent = await startSilentServer();
  const transport = smtpTransport({ host: '127.0.0.1', port: silent.port, maxConnections: 1 });
  const mailer = createMailer({ transport, from: 'app@example.com' });
  const [first, second] = [new AbortController(), new AbortController()];
  const sendings = [
    mailer.send(written, { signal: first.signal }),
    mailer.send(written, { signal: second.signal }),
  ].map(failureOf);
  await silent.connected;
  second.abort(new Error('second called off'));
  expect((await sendings[1])?.message).toBe('second called off');
  first.abort(new Error('first called off'));
  expect((await sendings[0])?.message).toBe('first called off');
  const third = new AbortController();
  const last = failureOf(mailer.send(written, { signal: third.signal }));
  third.abort(new Error('third called off'));
  expect((await last).message).toBe('third called off');
});

test.each([
  'smtp:',
  'http://mail.example.com',
  'mail.example.com:25',
  'smtp://user:hunter2@',
  'smtp://user:hunter2@mail.example.com:99999',
  'smtp://user:hunter2@mail.example.com/path',
  'smtp://user:hunter2@mail.example.com?tls.rejectUnauthorized=false',
  'smtp://user:hunter2@mail.example.com?tls=off',
  'smtps://user:hunter2@mail.example.com?tls=off',
  'smtp://user:hunter2%@mail.example.com',
])('%s is a mistake, and the error does not quote it', (url) => {
  const make = () => smtpTransport(url);
  expect(make).toThrow(TypeError);
  try {
    make();
  } catch (error) {
    expect(inspect(error, { showHidden: true })).not.toContain('hunter2');
  }
});

async function startSilentServer(): Promise<
  AsyncDisposable & { port: number; connected: Promise<void> }
> {
  const sockets = new Set<Socket>();
  let server!: Server;
  const connected = new Promise<void>((resolve) => {
    server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}));
      resolve();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connected,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
