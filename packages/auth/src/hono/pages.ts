import { linkPage } from '@svc/http/hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { isTokenShaped } from '../one-time-tokens.ts';

interface LinkOptions {
  appName: string;
  token: string;
}

/** What a link to verify the address of a registration opens. */
export function verifyPage(c: Context, { appName, token }: LinkOptions) {
  const text = `If you did not register at ${appName}, close this page.`;
  return buttonPage(c, { appName, token, title: 'Confirm your e-mail address', text });
}

/** What a link to the new address of an account opens. */
export function confirmEmailPage(c: Context, { appName, token }: LinkOptions) {
  const text = `Your account at ${appName} will have this address, and you will be signed out everywhere. If you did not ask for this, close this page.`;
  return buttonPage(c, { appName, token, title: 'Confirm your new e-mail address', text });
}

// Asks for the press of a button: a mail scanner that follows the link presses none.
function buttonPage(c: Context, options: LinkOptions & { title: string; text: string }) {
  const { appName, token, title, text } = options;
  return linkPage(c, {
    appName,
    title,
    // The action is relative: where the routes are mounted is the app's business.
    body: html`<p>${text}</p>
      <form method="post" action="?">
        <input type="hidden" name="token" value="${isTokenShaped(token) ? token : ''}" />
        <button type="submit">Confirm</button>
      </form>`,
  });
}

/** Asks for the new password; after a refusal again, saying why. */
export function resetPage(
  c: Context,
  options: { appName: string; token: string; minLength: number; fault?: string },
) {
  const { appName, token, minLength, fault } = options;
  return linkPage(c, {
    appName,
    title: 'Choose a new password',
    status: fault === undefined ? 200 : 400,
    body: html`${fault === undefined ? '' : html`<p class="fault" role="alert">${fault}</p>`}
      <form method="post" action="?">
        <input type="hidden" name="token" value="${isTokenShaped(token) ? token : ''}" />
        <label for="password">New password, at least ${minLength} characters</label>
        <input
          id="password"
          name="password"
          type="password"
          autocomplete="new-password"
          minlength="${minLength}"
          required
          autofocus
        />
        <button type="submit">Change the password</button>
      </form>`,
  });
}
