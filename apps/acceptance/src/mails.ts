import type { AuthMail } from '@svc/auth';
import { defineTemplate, html, type Mailer } from '@svc/mail';

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
      `Your password was changed and every session was ended.\n\nIf this was not you, choose a new password at once:\n${link}\n`,
  }),
};

/** Turns what `@svc/auth` wants said into a mail, and sends it. */
export function authMails(mailer: Mailer) {
  return async ({ to, template, data }: AuthMail): Promise<void> => {
    await mailer.send({ to, template: templates[template], data });
  };
}
