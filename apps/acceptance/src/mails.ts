import type { AuthMail, SecurityChange } from '@svc/auth';
import { defineTemplate, html, type Mailer } from '@svc/mail';
import type { TenancyMail } from '@svc/tenancy';
import type { Notice } from '@svc/webhooks';

interface Link {
  readonly appName: string;
  readonly link: string;
}

const templates = {
  verify: defineTemplate({
    name: 'auth.verify',
    subject: 'Confirm your e-mail address',
    text: ({ appName, link }: Link) =>
      `Welcome to ${appName}.\n\nConfirm your e-mail address here:\n${link}\n\nIf you did not sign up, ignore this mail and do not follow the link.\n`,
    html: ({ appName, link }: Link) =>
      html`<p>Welcome to ${appName}.</p>
        <p><a href="${link}">Confirm your e-mail address</a></p>
        <p>If you did not sign up, ignore this mail and do not follow the link.</p>`,
  }),
  already_registered: defineTemplate({
    name: 'auth.already_registered',
    subject: 'You already have an account',
    text: ({ appName, link }: Link) =>
      `Somebody, perhaps you, signed up to ${appName} with this address, which has an account already.\n\nSign in, or choose a new password, here:\n${link}\n`,
  }),
  reset_password: defineTemplate({
    name: 'auth.reset_password',
    subject: 'Choose a new password',
    text: ({ link }: Link) =>
      `Choose a new password here:\n${link}\n\nIf you did not ask for this, ignore this mail; nothing has changed.\n`,
  }),
  password_changed: defineTemplate({
    name: 'auth.password_changed',
    subject: 'Your password was changed',
    text: ({ link }: Link) =>
      `Your password was changed, and you are signed out everywhere else.\n\nIf this was not you, choose a new password at once:\n${link}\n`,
  }),
  confirm_email: defineTemplate({
    name: 'auth.confirm_email',
    subject: 'Confirm your new e-mail address',
    text: ({ appName, link }: Link) =>
      `Somebody, perhaps you, wants to use this address at ${appName}. Confirm it here:\n${link}\n\nIf it was not you, ignore this mail and do not follow the link.\n`,
  }),
  email_changed: defineTemplate({
    name: 'auth.email_changed',
    subject: 'Your e-mail address was changed',
    text: ({ appName, link }: Link) =>
      `Your account at ${appName} has another e-mail address now, and every session was ended.\n\nIf this was not you, write to us at once:\n${link}\n`,
  }),
  security_notice: defineTemplate({
    name: 'auth.security_notice',
    subject: 'A change to your account',
    text: ({ appName, link, change }: Link & { readonly change: SecurityChange }) =>
      `At ${appName}: ${changes[change]}\n\nIf this was not you, choose a new password at once:\n${link}\n`,
  }),
};

const changes: Readonly<Record<SecurityChange, string>> = {
  mfa_enabled: 'a second factor was added to your account.',
  mfa_disabled: 'the second factor of your account was removed.',
  recovery_codes_made: 'new recovery codes were made; the former ones do not work any more.',
  recovery_code_used: 'somebody signed in with one of your recovery codes.',
  passkey_added: 'a passkey was added to your account.',
  passkey_removed: 'a passkey of your account was removed.',
  passkey_suspected:
    'one of your passkeys may have been copied; we refused it. Remove it and make a new one.',
  identity_linked: 'another way to sign in was linked to your account.',
  identity_unlinked: 'a way to sign in was removed from your account.',
  api_key_created: 'an API key was made for your account.',
  account_locked:
    'there were many wrong passwords or codes, and we refuse more of them for a while.',
  session_suspected:
    'one of your sessions may have been copied; we ended it. Sign in again where you miss it.',
};

/** Turns what `@svc/auth` wants said into a mail, and sends it. */
export function authMails(mailer: Mailer) {
  return async (mail: AuthMail): Promise<void> => {
    const { to } = mail;
    // Of each kind its own data, so that the types hold.
    if (mail.template === 'security_notice')
      await mailer.send({ to, template: templates.security_notice, data: mail.data });
    else await mailer.send({ to, template: templates[mail.template], data: mail.data });
  };
}

const invitation = defineTemplate({
  name: 'tenancy.invitation',
  subject: 'You are invited',
  text: ({ appName, link, expiresInMinutes }: TenancyMail['data']) =>
    `Somebody invites you to work with them at ${appName}. See who it is, and join, here:\n${link}\n\nSign in with this address first, or sign up with it. The link works for ${inWords(expiresInMinutes)}.\nIf you expect no invitation, ignore this mail.\n`,
});

const inWords = (minutes: number) =>
  minutes < 120
    ? `${Math.floor(minutes)} minutes`
    : minutes < 2880
      ? `${Math.floor(minutes / 60)} hours`
      : `${Math.floor(minutes / 1440)} days`;

interface NoticeData {
  readonly appName: string;
  readonly endpointId: string;
  readonly type: Notice['type'];
}

const notices: Readonly<Record<Notice['type'], string>> = {
  failing: 'has failed for days. It will be turned off if this goes on.',
  disabled:
    'has failed for so long that it was turned off. What is missed meanwhile is kept; turn it on again when it is mended.',
  gone: 'answered that it is gone (410), and was turned off.',
  recovered: 'works again; what was missed is being sent.',
};

const webhookNotice = defineTemplate({
  name: 'webhooks.notice',
  subject: 'One of your webhook endpoints',
  text: ({ appName, endpointId, type }: NoticeData) =>
    `At ${appName}: the webhook endpoint ${endpointId} ${notices[type]}\n`,
});

/** The same for `@svc/webhooks`. */
export function webhookMails(mailer: Mailer) {
  return ({ to, ...data }: NoticeData & { readonly to: string }) =>
    mailer.send({ to, template: webhookNotice, data });
}

/** The same for `@svc/tenancy`. */
export function tenancyMails(mailer: Mailer) {
  return ({ to, data }: TenancyMail) => mailer.send({ to, template: invitation, data });
}
