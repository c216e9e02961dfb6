import { OAuthFailed } from '../failures.ts';
import { type OAuthProvider, type ProviderOptions, textOf, trusts } from '../provider.ts';

export interface GithubOptions extends ProviderOptions {
  /** Of a GitHub Enterprise Server. @default https://github.com */
  baseUrl?: string;
}

/** GitHub, which speaks plain OAuth 2. It says which address it verified once, not who has it now: none is trusted unless `trustedDomains` says so. */
export function github({
  clientId,
  clientSecret,
  baseUrl = 'https://github.com',
  trustedDomains = [],
  newAccounts = 'verified',
  scopes = [],
  storeTokens = false,
}: GithubOptions): OAuthProvider {
  const base = baseUrl.replace(/\/$/, '');
  const api = base === 'https://github.com' ? 'https://api.github.com' : `${base}/api/v3`;
  const issuer = `${base}/login/oauth`;
  return {
    id: 'github',
    name: 'GitHub',
    server: {
      type: 'oauth2',
      issuer,
      authorizationEndpoint: `${issuer}/authorize`,
      tokenEndpoint: `${issuer}/access_token`,
    },
    clientId,
    clientSecret,
    clientSecretBy: 'post',
    scopes: ['user:email', ...scopes],
    parameters: {},
    newAccounts,
    storeTokens,
    async profile({ get }) {
      const user = (await get(`${api}/user`)) as { id?: unknown; name?: unknown } | null;
      // The login may change hands; the number does not.
      if (!Number.isSafeInteger(user?.id)) throw new OAuthFailed();
      const emails = await get(`${api}/user/emails`);
      const primary = (Array.isArray(emails) ? emails : []).find(
        (each: { primary?: unknown } | null) => each?.primary === true,
      ) as { email?: unknown; verified?: unknown } | undefined;
      return {
        issuer,
        subject: String(user?.id),
        email: textOf(primary?.email),
        emailVerified: primary?.verified === true,
        name: textOf(user?.name),
        vouchesFor: (domain) => trusts(trustedDomains, domain),
      };
    },
  };
}
