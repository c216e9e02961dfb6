import { type OAuthProvider, oidc } from '@svc/auth/oauth';
import type { AppSettings } from './settings.ts';

/** Where people may sign in instead of here. */
export function providersOf(settings: AppSettings): OAuthProvider[] {
  const { oidcIssuer: issuer, oidcClientId: clientId, oidcClientSecret: clientSecret } = settings;
  if (issuer === undefined || clientId === undefined || clientSecret === undefined) return [];
  const trustedDomains = settings.oidcTrustedDomains;
  return [oidc({ id: 'oidc', issuer, clientId, clientSecret, trustedDomains })];
}
