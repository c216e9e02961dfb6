import { type OAuthProvider, type ProviderOptions, standardProfile, trusts } from '../provider.ts';

export interface OidcOptions extends Omit<ProviderOptions, 'clientSecret'> {
  /** Stands in paths and beside identities: lower case letters, digits and hyphens. Never changes. */
  id: string;
  /** What people read on the button. @default the id */
  name?: string;
  /** The issuer's identifier, under which its metadata is found (OpenID Connect Discovery 1.0). */
  issuer: string;
  /** @default none: a public client */
  clientSecret?: string;
  /** How the client shows its secret. @default 'basic' */
  clientSecretBy?: 'basic' | 'post';
}

/** Any OpenID Connect issuer. Without `trustedDomains` it links nothing by e-mail, and opens no account. */
export function oidc({
  id,
  name = id,
  issuer,
  clientId,
  clientSecret,
  clientSecretBy = 'basic',
  trustedDomains = [],
  newAccounts = 'trusted',
  scopes = [],
  storeTokens = false,
}: OidcOptions): OAuthProvider {
  return {
    id,
    name,
    server: { type: 'openid', issuer },
    clientId,
    clientSecret: clientSecret ?? null,
    clientSecretBy,
    scopes: ['openid', 'email', 'profile', ...scopes],
    parameters: {},
    newAccounts,
    storeTokens,
    profile: (grant) => standardProfile(grant, (domain) => trusts(trustedDomains, domain)),
  };
}
