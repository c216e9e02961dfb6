import type { Db } from '@svc/db';
import { createOAuth, type OAuthProvider, oidc, type OidcOptions } from '../src/oauth.ts';
import type { OAuthOptions } from '../src/oauth.ts';
import type { Principal } from '../src/index.ts';
import { openAuth } from './open-auth.ts';
import { clientId, clientSecret, type Issuer, publicUrl, visit } from './oauth-servers.ts';

/** The issuer of these tests as a provider. */
export function corp({ issuer }: Issuer, options: Partial<OidcOptions> = {}): OAuthProvider {
  return oidc({ id: 'corp', issuer, clientId, clientSecret, ...options });
}

/** Sign-in with providers, and a browser that goes there and comes back. */
export function openOAuth(
  db: Db,
  providers: readonly OAuthProvider[],
  options: Partial<OAuthOptions> = {},
) {
  const opened = openAuth(db, { publicUrl });
  const oauth = createOAuth({ auth: opened.auth, providers, ...options });
  const provider = providers[0]?.id as string;
  /** The first half: what the browser brings back. */
  const goThere = async (link?: Principal) => {
    const { url, browserToken } = await oauth.begin({
      provider,
      ...(link !== undefined && { link }),
    });
    return { provider, browserToken, currentUrl: await visit(url) };
  };
  return {
    ...opened,
    session: (email?: string) => opened.session(email),
    oauth,
    provider,
    goThere,
    signIn: async () => oauth.complete(await goThere()),
    link: async (principal: Principal, sessionToken: string) =>
      oauth.complete({ ...(await goThere(principal)), sessionToken }),
  };
}
