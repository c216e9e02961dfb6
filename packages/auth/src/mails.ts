import type { Logger } from '@svc/core';
import type { Trx } from '@svc/db';

interface Mail<Template extends string, Data> {
  readonly template: Template;
  /** The address on file, never one from the request at hand. */
  readonly to: string;
  readonly data: Data & { readonly appName: string };
}

/**
 * What `sendMail` is asked to send. None contains text that somebody else could have chosen (a name
 * at registration): the recipient may not be the one who asked.
 */
export type AuthMail =
  /** Confirm the address. Say that who did not register should not follow the link. */
  | Mail<'verify', { readonly link: string; readonly expiresInMinutes: number }>
  /** Somebody registered an address that has an account. */
  | Mail<'already_registered', { readonly link: string }>
  | Mail<'reset_password', { readonly link: string; readonly expiresInMinutes: number }>
  | Mail<'password_changed', { readonly link: string }>
  /** Confirm that this address, a new one, is theirs. */
  | Mail<'confirm_email', { readonly link: string; readonly expiresInMinutes: number }>
  /** To the former address. */
  | Mail<'email_changed', { readonly link: string }>
  /** The ways in to the account changed. */
  | Mail<'security_notice', { readonly link: string; readonly change: SecurityChange }>;

export type SecurityChange =
  | 'mfa_enabled'
  | 'mfa_disabled'
  | 'recovery_codes_made'
  | 'recovery_code_used'
  | 'passkey_added'
  | 'passkey_removed'
  /** A passkey told a count that it had passed: there may be a copy of it. It was refused. */
  | 'passkey_suspected'
  | 'identity_linked'
  | 'identity_unlinked'
  | 'api_key_created'
  | 'account_locked'
  /** A refresh token was used twice: somebody else may have a copy of it. The session was ended. */
  | 'session_suspected';

/** Sends one mail, or hands it to something that will. */
export type SendMail = (mail: AuthMail, options: { within?: Trx }) => Promise<void>;

export interface MailerOptions {
  sendMail: SendMail;
  publicUrl: URL;
  appName: string;
  paths: { verify: string; resetPassword: string; confirmEmail: string };
  logger: Logger;
}

/** Puts links into mails; never throws, because there is nobody left to tell. */
export interface Mailer {
  verify(to: string, token: string, ttlMs: number): Promise<void>;
  alreadyRegistered(to: string): Promise<void>;
  resetPassword(to: string, token: string, ttlMs: number): Promise<void>;
  passwordChanged(to: string): Promise<void>;
  confirmEmail(to: string, token: string, ttlMs: number): Promise<void>;
  emailChanged(to: string): Promise<void>;
  securityNotice(to: string, change: SecurityChange): Promise<void>;
}

export function createMailer({
  sendMail,
  publicUrl,
  appName,
  paths,
  logger,
}: MailerOptions): Mailer {
  // From settings, never from the Host header, which the sender of a request chooses (OWASP Forgot Password).
  const base = publicUrl.href.replace(/\/$/, '');
  const home = publicUrl.href;
  const linkTo = (path: string, token: string) =>
    `${base}${path}?token=${encodeURIComponent(token)}`;
  const send = async (mail: AuthMail, token?: string) => {
    try {
      await sendMail(mail, {});
    } catch (error) {
      logger.error(
        { template: mail.template, error: withoutSecret(error, token) },
        'a mail could not be sent',
      );
    }
  };
  return {
    verify: (to, token, ttlMs) =>
      send(
        {
          template: 'verify',
          to,
          data: { appName, link: linkTo(paths.verify, token), expiresInMinutes: ttlMs / 60_000 },
        },
        token,
      ),
    alreadyRegistered: (to) =>
      send({ template: 'already_registered', to, data: { appName, link: home } }),
    resetPassword: (to, token, ttlMs) =>
      send(
        {
          template: 'reset_password',
          to,
          data: {
            appName,
            link: linkTo(paths.resetPassword, token),
            expiresInMinutes: ttlMs / 60_000,
          },
        },
        token,
      ),
    passwordChanged: (to) =>
      send({ template: 'password_changed', to, data: { appName, link: home } }),
    confirmEmail: (to, token, ttlMs) =>
      send(
        {
          template: 'confirm_email',
          to,
          data: {
            appName,
            link: linkTo(paths.confirmEmail, token),
            expiresInMinutes: ttlMs / 60_000,
          },
        },
        token,
      ),
    emailChanged: (to) => send({ template: 'email_changed', to, data: { appName, link: home } }),
    securityNotice: (to, change) =>
      send({ template: 'security_notice', to, data: { appName, link: home, change } }),
  };
}

// A transport's error may quote the mail it could not send.
function withoutSecret(
  error: unknown,
  token: string | undefined,
): { name: string; message: string } {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message: token === undefined ? message : message.replaceAll(token, '[token]') };
}
