import { OAuthFailed } from '../failures.ts';
import { type OAuthProvider, type ProviderOptions, standardProfile, trusts } from '../provider.ts';

export interface MicrosoftOptions extends ProviderOptions {
  /** The id of the one tenant whose people may sign in, or `organizations`, `consumers` or `common` for those of many. */
  tenant: string;
  /** With one of the three words: the ids of the tenants that may. @default all */
  tenants?: readonly string[];
}

const guid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const manyTenants = ['organizations', 'consumers', 'common'];
const login = 'https://login.microsoftonline.com';

/**
 * Microsoft Entra ID. The administrator of any tenant chooses what stands in `email` (nOAuth, Descope 2023), so an
 * address counts as verified only with the claim `xms_edov`, to be switched on for the client; none is trusted unless
 * `trustedDomains` says so. Accounts of many tenants are told apart by the issuer, which names the tenant.
 *
 * @throws {TypeError} when a tenant is not usable.
 */
export function microsoft({
  clientId,
  clientSecret,
  tenant,
  tenants,
  trustedDomains = [],
  newAccounts = 'verified',
  scopes = [],
  storeTokens = false,
}: MicrosoftOptions): OAuthProvider {
  if (!guid.test(tenant) && !manyTenants.includes(tenant))
    throw new TypeError('microsoft: tenant must be the id of one, or one of the words for many');
  if (tenants?.every((each) => guid.test(each)) === false)
    throw new TypeError('microsoft: tenants must be ids');
  const allowed = guid.test(tenant) ? [tenant] : tenants;
  return {
    id: 'microsoft',
    name: 'Microsoft',
    server: { type: 'openid', issuer: `${login}/${tenant}/v2.0` },
    clientId,
    clientSecret,
    clientSecretBy: 'post',
    scopes: ['openid', 'email', 'profile', ...(storeTokens ? ['offline_access'] : []), ...scopes],
    parameters: {},
    newAccounts,
    storeTokens,
    profile(grant) {
      const { iss, tid, xms_edov: ownsDomain } = grant.claims as Record<string, unknown>;
      const isKnown = typeof tid === 'string' && guid.test(tid) && iss === `${login}/${tid}/v2.0`;
      if (!isKnown || allowed?.includes(tid) === false) throw new OAuthFailed();
      return {
        ...standardProfile(grant, (domain) => trusts(trustedDomains, domain)),
        // Microsoft writes it as 1, '1' or true.
        emailVerified: ['1', 'true'].includes(String(ownsDomain)),
      };
    },
  };
}
