import { isFailure } from '@svc/core';
import type { Context } from 'hono';
import type { Auth } from '../auth.ts';
import type { OAuth, OAuthCompleted } from '../oauth/oauth.ts';
import { demandTenant } from '../identity-scope.ts';
import { keepSignIn } from './answers.ts';
import { clearBrowserCookie, readBrowserCookie, setChallengeCookie } from './oauth-cookies.ts';
import { originOf } from './origin.ts';
import { messagePage } from '@svc/http/hono';
import { presentedToken } from './require-user.ts';

/** Ends a sign-in at a provider: sends the browser on, or says to the person why not. */
export async function answerCallback(
  c: Context,
  services: { auth: Auth; oauth: OAuth; secondFactorPath: string },
): Promise<Response> {
  const { auth, oauth, secondFactorPath } = services;
  const input = {
    provider: c.req.param('provider') ?? '',
    currentUrl: c.req.url,
    browserToken: readBrowserCookie(c),
    sessionToken: presentedToken(c)?.token,
  };
  clearBrowserCookie(c);
  let completed: OAuthCompleted;
  try {
    completed = await oauth.complete(input, { origin: originOf(c) });
  } catch (error) {
    return refuse(c, auth, error);
  }
  if (completed.status === 'signed_in') keepSignIn(c, completed);
  const context = auth['~context'];
  const { origin } = await context.urlOf(demandTenant(context, originOf(c)));
  if (completed.status !== 'second_factor_required')
    return c.redirect(`${origin}${completed.returnTo}`, 302);
  setChallengeCookie(c, completed.challenge);
  const query = new URLSearchParams({ returnTo: completed.returnTo });
  return c.redirect(`${origin}${secondFactorPath}?${query.toString()}`, 302);
}

// A person who comes back from a provider has a browser; programs and tests ask for JSON.
function refuse(c: Context, { appName }: Auth, error: unknown): Response | Promise<Response> {
  const wantsPage = c.req.header('Accept')?.includes('text/html') === true;
  if (!isFailure(error) || !wantsPage) throw error;
  const isDenied = error.details['reason'] === 'denied';
  return messagePage(c, {
    appName,
    title: isDenied ? 'You were not signed in' : 'That did not work',
    text: isDenied ? 'You said no at the provider. Nothing has changed.' : error.message,
    status: error.kind === 'unavailable' ? 503 : 400,
  });
}
