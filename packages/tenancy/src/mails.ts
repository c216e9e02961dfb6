import type { Logger } from '@svc/core';

/**
 * What `sendMail` is asked to send. It contains no text that somebody else could have chosen, such as the tenant's
 * name: the recipient asked for nothing. The page of the link says who invites.
 */
export interface TenancyMail {
  readonly template: 'invitation';
  readonly to: string;
  readonly data: {
    readonly appName: string;
    readonly link: string;
    readonly expiresInMinutes: number;
  };
}

/** Sends one mail, or hands it to something that will. */
export type SendTenancyMail = (mail: TenancyMail) => Promise<unknown>;

/** Puts links into mails; never throws: the invitation stands, and can be made anew. */
export interface TenancyMailer {
  invitation(to: string, token: string, ttlMs: number): Promise<void>;
}

export function createTenancyMailer({
  sendMail,
  publicUrl,
  appName,
  path,
  logger,
}: {
  sendMail: SendTenancyMail;
  publicUrl: URL;
  appName: string;
  path: string;
  logger: Logger;
}): TenancyMailer {
  // From settings, never from the Host header, which the sender of a request chooses (OWASP Forgot Password).
  const base = publicUrl.href.replace(/\/$/, '');
  return {
    async invitation(to, token, ttlMs) {
      const link = `${base}${path}?token=${encodeURIComponent(token)}`;
      const data = { appName, link, expiresInMinutes: ttlMs / 60_000 };
      try {
        await sendMail({ template: 'invitation', to, data });
      } catch (error) {
        // A transport's error may quote the mail it could not send.
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        logger.error(
          {
            template: 'invitation',
            error: { name, message: message.replaceAll(token, '[token]') },
          },
          'a mail could not be sent',
        );
      }
    },
  };
}
