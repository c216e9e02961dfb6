import { consoleTransport, createMailer } from '@svc/mail';
import { expect, test } from 'vitest';

test('a mail is printed for a person to read, with its links whole', async () => {
  const printed: string[] = [];
  const transport = consoleTransport({ write: (text) => printed.push(text) });
  const mailer = createMailer({ transport, from: { address: 'app@example.com', name: 'App' } });
  const link = `http://localhost:8000/verify?token=${'x'.repeat(120)}`;
  await mailer.send({
    to: 'ada@example.com',
    subject: 'Verify',
    text: `Open\n${link}\n`,
    messageId: '<1@example.com>',
  });
  const ruler = '─'.repeat(72);
  expect(printed.join('')).toBe(`${ruler}
From:       App <app@example.com>
To:         ada@example.com
Subject:    Verify
Message-ID: <1@example.com>

Open
${link}
${ruler}
`);
});

test('what a person typed does not reach the terminal as commands', async () => {
  const printed: string[] = [];
  const transport = consoleTransport({ write: (text) => printed.push(text) });
  const mailer = createMailer({ transport, from: 'app@example.com' });
  await mailer.send({ to: 'ada@example.com', subject: 'Hi', text: 'a\x1b[2Jb\x9b2Jc\x07d\re' });
  expect(printed.join('')).not.toMatch(/[^\P{Cc}\n\t]/u);
});
