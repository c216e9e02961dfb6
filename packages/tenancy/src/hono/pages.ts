import { linkPage, messagePage } from '@svc/http/hono';
import type { Context } from 'hono';
import { html } from 'hono/html';
import { type InvitationPreview, isTokenShaped } from '../invitations.ts';

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
  return linkPage(c, {
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
