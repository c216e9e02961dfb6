import { MailRejected, MailUnavailable } from '../failures.ts';

interface SmtpError extends Error {
  code?: string;
  command?: string;
  response?: string;
  responseCode?: number;
  permanent?: boolean;
  originalCode?: string;
}

/** The failure that an error of nodemailer stands for; anything else comes back as it is. */
export function toMailFailure(error: unknown): unknown {
  if (!(error instanceof Error) || typeof (error as SmtpError).code !== 'string') return error;
  const cause = describe(error);
  const aboutThisMail =
    (error as SmtpError).code === 'EENVELOPE' || (error as SmtpError).code === 'EMESSAGE';
  // Without an answer of the server it is nodemailer that refuses: too large, or an address the server cannot take.
  const { permanent = true } = error as SmtpError;
  return aboutThisMail && permanent
    ? new MailRejected({}, { cause })
    : new MailUnavailable({}, { cause });
}

// Only codes: an answer quotes what was sent to the server, at times the credentials, and the address of a person.
function describe({ code, originalCode, command, responseCode, response }: SmtpError): Error {
  const status = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response ?? '')?.[1];
  const verb = /^[A-Z]+(?= |$)/.exec(command ?? '')?.[0];
  const parts = [
    code,
    originalCode === code ? undefined : originalCode,
    responseCode,
    status,
    verb && `at ${verb}`,
  ];
  return new Error(`SMTP: ${parts.filter((part) => part !== undefined).join(' ')}`);
}
