import type { Context } from 'hono';
import type { OAuth, OAuthBeginning } from '../oauth/oauth.ts';
import { setBrowserCookie } from './oauth-cookies.ts';
import { originOf } from './origin.ts';

/** Begins at the provider of the path, binds that to this browser, and answers where to send it. */
export async function beginOAuth(
  c: Context,
  oauth: OAuth,
  input: Omit<OAuthBeginning, 'provider'>,
): Promise<string> {
  const provider = c.req.param('provider') ?? '';
  const { url, browserToken } = await oauth.begin({ ...input, provider }, { origin: originOf(c) });
  setBrowserCookie(c, browserToken);
  return url;
}
