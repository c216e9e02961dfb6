import * as v from 'valibot';
import { parseMailbox } from './address.ts';
import { parseSmtpUrl, securityOf } from './transports/smtp-url.ts';

/** The variables that say how mail is sent, for an app's settings schema. */
export const mailSettings = {
  SMTP_URL: v.optional(
    v.pipe(
      v.string(),
      v.check(isUsableServer),
      v.description(
        'the mail server: smtps://user:password@host, or smtp://host:port with STARTTLS (?tls=off without, but then without credentials); when absent, mail is printed',
      ),
      v.metadata({ secret: true as const, requiredInProduction: true as const }),
    ),
  ),
  MAIL_FROM: v.optional(
    v.pipe(
      v.string(),
      v.check(isMailbox),
      v.transform(parseMailbox),
      v.description('the sender of mails: name@example.com or Name <name@example.com>'),
      v.metadata({ requiredInProduction: true }),
    ),
    'no-reply@localhost',
  ),
};

function isUsableServer(url: string): boolean {
  try {
    securityOf(parseSmtpUrl(url));
    return true;
  } catch {
    // Which rule it breaks is said by the description.
    return false;
  }
}

function isMailbox(text: string): boolean {
  try {
    parseMailbox(text);
    return true;
  } catch {
    // Which rule it breaks is said by the description.
    return false;
  }
}
