import { sha256 } from '@svc/core';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { isTokenShaped } from '../one-time-tokens.ts';

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem;color:#222;background:#fff}' +
  'h1{font-size:1.4rem}label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}' +
  'input,button{padding:.6rem;margin:.3rem 0 1rem}button{border:0;border-radius:.3rem;background:#1a5fb4;color:#fff}' +
  '.fault{color:#a51d2d}@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#eee}.fault{color:#ff9c9c}}';
const styleHash = Buffer.from(sha256(style)).toString('base64');
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

type Markup = ReturnType<typeof html>;

interface PageOptions {
  appName: string;
  title: string;
  body: Markup;
  /** @default 200 */
  status?: 200 | 400 | 503;
}

// Works without scripts, loads nothing, and tells no other site the address it is at, which holds the token.
function page(c: Context, { appName, title, body, status = 200 }: PageOptions) {
  c.header('Content-Security-Policy', contentSecurityPolicy);
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Cache-Control', 'no-store');
  c.header('X-Robots-Tag', 'noindex');
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <title>${title} · ${appName}</title>
          ${raw(`<style>${style}</style>`)}
        </head>
        <body>
          <main>
            <h1>${title}</h1>
            ${body}
          </main>
        </body>
      </html> `,
    status,
  );
}

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
  return page(c, {
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
  return page(c, {
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

/** Says one thing. */
export function messagePage(
  c: Context,
  options: { appName: string; title: string; text: string; status?: 200 | 400 | 503 },
) {
  const { text, ...rest } = options;
  return page(c, { ...rest, body: html`<p>${text}</p>` });
}
