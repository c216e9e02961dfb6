export { type Mailbox, parseAddress, parseMailbox } from './address.ts';
export { mailFailed, mailSent } from './events.ts';
export { InvalidAddress, MailRejected, MailUnavailable } from './failures.ts';
export { html, type Html, type HtmlValue, isHtml, rawHtml } from './html.ts';
export {
  createMailer,
  type Mailer,
  type MailerOptions,
  type MailHeaders,
  type SentMail,
  type TemplatedMail,
  type WrittenMail,
} from './mailer.ts';
export type { NextOptions, Outbox } from './outbox.ts';
export { mailSettings } from './settings.ts';
export {
  defineTemplate,
  type MailContent,
  type Template,
  type TemplateOptions,
} from './template.ts';
export type { MailTransport, OutgoingMail, SendOptions } from './transport.ts';
export { consoleTransport, type ConsoleTransportOptions } from './transports/console.ts';
export { memoryTransport, type MemoryTransport } from './transports/memory.ts';
