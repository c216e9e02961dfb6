import { createPrivateKey, sign } from 'node:crypto';
import { type OAuthProvider, type ProviderOptions, standardProfile, trusts } from '../provider.ts';

export interface AppleOptions extends Omit<ProviderOptions, 'clientSecret' | 'scopes'> {
  /** The Services ID. */
  clientId: string;
  teamId: string;
  keyId: string;
  /** The key that Apple gave, as PEM (PKCS #8). */
  privateKey: string;
}

const issuer = 'https://appleid.apple.com';
const secretLifetimeSeconds = 300;

/**
 * Sign in with Apple. Apple posts the answer, from its own site, to the callback. It trusts no address by itself: many
 * are relays of Apple's, and lead to whoever made them.
 *
 * @throws {TypeError} when the private key is not one of P-256.
 */
export function apple({
  clientId,
  teamId,
  keyId,
  privateKey,
  trustedDomains = [],
  newAccounts = 'verified',
  storeTokens = false,
}: AppleOptions): OAuthProvider {
  const key = parseKey(privateKey);
  return {
    id: 'apple',
    name: 'Apple',
    server: { type: 'openid', issuer },
    clientId,
    clientSecret(now) {
      const iat = Math.floor(now.getTime() / 1000);
      const claims = { iss: teamId, sub: clientId, aud: issuer };
      const signed = [
        { alg: 'ES256', kid: keyId },
        { ...claims, iat, exp: iat + secretLifetimeSeconds },
      ]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
      return `${signed}.${signature.toString('base64url')}`;
    },
    clientSecretBy: 'post',
    // The name would come beside the tokens, unsigned, and once only.
    scopes: ['openid', 'email'],
    // Apple answers in no other way where it tells the address.
    parameters: { response_mode: 'form_post' },
    newAccounts,
    storeTokens,
    profile: (grant) => ({
      ...standardProfile(grant, (domain) => trusts(trustedDomains, domain)),
      // Apple writes true or 'true'.
      emailVerified: String(grant.claims['email_verified']) === 'true',
    }),
  };
}

function parseKey(pem: string) {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // Its message may quote the key.
  }
  throw new TypeError('apple: privateKey must be a key of P-256 as PEM');
}
