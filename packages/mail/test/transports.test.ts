import { consoleTransport, memoryTransport } from '@svc/mail';
import { smtpTransport } from '@svc/mail/smtp';
import { type ArrivedMail, describeMailTransport, startSmtpSink } from '@svc/mail/testing';

describeMailTransport('memoryTransport', () => {
  const transport = memoryTransport();
  const arrived = () =>
    transport.outbox.mails.map(({ from, to, messageId, subject, text, html }) => ({
      messageId,
      to: to.address,
      from: `${from.name ?? ''} <${from.address}>`,
      subject,
      text,
      html,
    }));
  return { transport, arrived };
});

describeMailTransport(
  'consoleTransport',
  () => {
    const printed: string[] = [];
    return {
      transport: consoleTransport({ write: (text) => printed.push(text) }),
      arrived: () => printed.map(readPrinted),
    };
  },
  { skip: [{ test: 'carries HTML beside the text', reason: 'a terminal shows the text part' }] },
);

describeMailTransport('smtpTransport', async () => {
  const sink = await startSmtpSink();
  return {
    transport: smtpTransport(sink.url),
    arrived: () =>
      sink.mails.map(({ messageId, envelope, header, subject, text, html }) => ({
        messageId,
        to: envelope.to.join(),
        from: header('from').join(),
        subject,
        text,
        html,
      })),
    close: sink.close,
  };
});

function readPrinted(block: string): ArrivedMail {
  const [head = '', ...rest] = block.split('\n\n');
  const line = (name: string) => new RegExp(`^${name}: +(.*)$`, 'm').exec(head)?.[1] ?? '';
  return {
    messageId: line('Message-ID'),
    to: line('To').replace(/^.*<(.*)>$/, '$1'),
    from: line('From'),
    subject: line('Subject'),
    text: rest.join('\n\n').replace(/\n─+\n$/, ''),
    html: undefined,
  };
}
