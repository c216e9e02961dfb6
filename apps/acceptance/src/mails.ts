import type { AuthMail } from '@svc/auth';
import { defineTemplate, html, type Mailer } from '@svc/mail';

const templates = {
  verify: defineTemplate({
    name: 'verify',
    subject: () => 'Confirm your e-mail address',
    text: ({ link }: { link: string }) =>
      `Welcome to Projects.\n\nConfirm your e-mail address here:\n${link}\n\nIf you did not sign up, ignore this mail.\n`,
    html: ({ link }: { link: string }) =>
      html`<p>Welcome to Projects.</p>
        <p><a href="${link}">Confirm your e-mail address</a></p>
        <p>If you did not sign up, ignore this mail.</p>`,
  }),
  already_registered: defineTemplate({
    name: 'already_registered',
    subject: () => 'You already have an account',
    text: ({ link }: { link: string }) =>
      `Somebody, perhaps you, signed up to Projects with this address, which has an account already.\n\nIf you forgot your password, set a new one here:\n${link}\n`,
  }),
  reset_password: defineTemplate({
    name: 'reset_password',
    subject: () => 'Set a new password',
    text: ({ link }: { link: string }) =>
      `Set a new password here:\n${link}\n\nIf you did not ask for this, ignore this mail; nothing has changed.\n`,
  }),
  password_changed: defineTemplate({
    name: 'password_changed',
    subject: () => 'Your password was changed',
    text: () =>
      'Your password was changed and every session was ended.\n\nIf this was not you, set a new password at once.\n',
  }),
};

/** Turns what `@svc/auth` wants said into a mail, and sends it. */
export function authMails(mailer: Mailer) {
  return async (mail: AuthMail): Promise<void> => {
    await mailer.send({ to: mail.to, ...templates[mail.template](mail) });
  };
}
