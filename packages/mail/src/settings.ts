import { setting } from '@svc/core';
import * as v from 'valibot';
import { parseMailbox } from './address.ts';

/** The variables that say how mail is sent, for an app's settings schema. */
export const mailSettings = {
  SMTP_URL: v.optional(
    setting.url(
      'the mail server: smtps://user:password@host, or smtp://host:port with STARTTLS (?tls=off without); when absent, mail is printed',
      ['smtp', 'smtps'],
      { secret: true, requiredInProduction: true },
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

function isMailbox(text: string): boolean {
  try {
    parseMailbox(text);
    return true;
  } catch {
    // Which rule it breaks is said by the description.
    return false;
  }
}
