import { sha256 } from '@svc/core';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';
import { type InvitationPreview, isTokenShaped } from '../invitations.ts';

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem;color:#222;background:#fff}' +
  'h1{font-size:1.4rem}button{display:block;width:100%;font:inherit;padding:.6rem;margin:.3rem 0 1rem;border:0;' +
  'border-radius:.3rem;background:#1a5fb4;color:#fff}@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#eee}}';
const styleHash = Buffer.from(sha256(style)).toString('base64');
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

interface PageOptions {
  appName: string;
  title: string;
  body: ReturnType<typeof html>;
  status: 200 | 400 | 401;
}

// Works without scripts, loads nothing, and tells no other site the address it is at, which holds the token.
function page(c: Context, { appName, title, body, status }: PageOptions) {
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

/** What the link of an invitation opens. Asks for the press of a button: a mail scanner that follows the link presses none. */
export function invitationPage(
  c: Context,
  options: { appName: string; token: string; invitation: InvitationPreview | null },
) {
  const { appName, token, invitation } = options;
  if (invitation === null) {
    const text = 'The invitation is not valid any more. Ask for a new one.';
    return messagePage(c, { appName, title: 'That did not work', text, status: 400 });
  }
  return page(c, {
    appName,
    title: 'You are invited',
    status: 200,
    // The action is relative: where the routes are mounted is the app's business.
    body: html`<p>
        Join ${invitation.tenantName} at ${appName}. You must be signed in with the address that the
        invitation was sent to. If you do not know who invites you, close this page.
      </p>
      <form method="post" action="?">
        <input type="hidden" name="token" value="${isTokenShaped(token) ? token : ''}" />
        <button type="submit">Join</button>
      </form>`,
  });
}

/** Says one thing. */
export function messagePage(
  c: Context,
  options: { appName: string; title: string; text: string; status: 200 | 400 | 401 },
) {
  const { text, ...rest } = options;
  return page(c, { ...rest, body: html`<p>${text}</p>` });
}
