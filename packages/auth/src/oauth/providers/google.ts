import { type OAuthProvider, type ProviderOptions, standardProfile, trusts } from '../provider.ts';

const mailDomains = ['gmail.com', 'googlemail.com'];

/**
 * Google. Without `trustedDomains` its word is taken for what it owns or manages: addresses of Gmail, and of the
 * Workspace whose domain stands in the claim `hd` (developers.google.com/identity/gsi/web/guides/verify-google-id-token).
 */
export function google({
  clientId,
  clientSecret,
  trustedDomains,
  newAccounts = 'verified',
  scopes = [],
  storeTokens = false,
}: ProviderOptions): OAuthProvider {
  return {
    id: 'google',
    name: 'Google',
    server: { type: 'openid', issuer: 'https://accounts.google.com' },
    clientId,
    clientSecret,
    clientSecretBy: 'post',
    scopes: ['openid', 'email', 'profile', ...scopes],
    // Google gives a refresh token only to who asks for it like this.
    parameters: storeTokens ? { access_type: 'offline' } : {},
    newAccounts,
    storeTokens,
    profile: (grant) =>
      standardProfile(grant, (domain) =>
        trustedDomains === undefined
          ? mailDomains.includes(domain) || grant.claims['hd'] === domain
          : trusts(trustedDomains, domain),
      ),
  };
}
