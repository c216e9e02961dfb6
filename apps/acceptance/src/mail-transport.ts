import { consoleTransport } from '@svc/mail';
import { smtpTransport } from '@svc/mail/smtp';
import type { AppSettings } from './settings.ts';

/** A mail server where one is set, otherwise the terminal. */
export function createMailTransport({ smtpUrl }: Pick<AppSettings, 'smtpUrl'>) {
  return smtpUrl === undefined ? consoleTransport() : smtpTransport(smtpUrl);
}
