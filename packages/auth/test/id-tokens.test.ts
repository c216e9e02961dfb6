import { databaseTest } from '@svc/db/testing';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, someone } from './open-auth.ts';
import { clientId, type Issuer, startIssuer } from './oauth-servers.ts';
import { corp, openOAuth } from './open-oauth.ts';

const test = databaseTest([authMigrations]);
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer({ inIdToken: true });
});
afterAll(() => issuer[Symbol.asyncDispose]());

type Claims = Record<string, unknown>;

/** A fetch between the app and the issuer that signs ID tokens anew, with a key that it puts in the place of the issuer's. */
async function signingAnew(change: (claims: Claims) => Claims) {
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const jwk = { ...(await exportJWK(publicKey)), alg: 'RS256', use: 'sig', kid: 'ours' };
  return async (url: string, init: RequestInit) => {
    if (url.endsWith('/jwks')) return Response.json({ keys: [jwk] });
    const answer = await fetch(url, init);
    if (!url.endsWith('/token')) return answer;
    const body = (await answer.json()) as { id_token: string };
    const payload = Buffer.from(body.id_token.split('.')[1] as string, 'base64url').toString();
    const claims = change(JSON.parse(payload) as Claims);
    const header = { alg: 'RS256', kid: 'ours' };
    const signed = await new SignJWT(claims).setProtectedHeader(header).sign(privateKey);
    return Response.json({ ...body, id_token: signed });
  };
}

const signInWith = async (
  db: Parameters<typeof openOAuth>[0],
  change: (claims: Claims) => Claims,
) => {
  const fetch = await signingAnew(change);
  const { signIn } = openOAuth(db, [corp(issuer, { trustedDomains: ['example.com'] })], { fetch });
  issuer.person = { sub: someone(), name: 'Ada', email: someone(), email_verified: true };
  return signIn();
};

test('an ID token that is for another client, from another issuer or expired is refused, though its signature fits', async ({
  db,
}) => {
  expect(await signInWith(db, (claims) => claims)).toMatchObject({ status: 'signed_in' });
  const changes: Record<string, (claims: Claims) => Claims> = {
    'another client': (claims) => ({ ...claims, aud: 'another-client' }),
    'another client beside': (claims) => ({ ...claims, aud: [clientId, 'x'], azp: 'x' }),
    'another issuer': (claims) => ({ ...claims, iss: 'https://evil.example' }),
    expired: (claims) => ({ ...claims, iat: 1_000_000_000, exp: 1_000_000_600 }),
    'no subject': ({ sub: _sub, ...claims }) => claims,
  };
  for (const [what, change] of Object.entries(changes))
    expect([what, await codeOf(signInWith(db, change))]).toEqual([what, 'auth.oauth_failed']);
});

test('metadata that names another issuer is refused before the browser goes anywhere', async ({
  db,
}) => {
  const lying = async (url: string, init: RequestInit) => {
    const answer = await fetch(url, init);
    if (!url.includes('/.well-known/')) return answer;
    return Response.json({ ...((await answer.json()) as Claims), issuer: 'https://evil.example' });
  };
  const { oauth, provider } = openOAuth(db, [corp(issuer)], { fetch: lying });
  const before = issuer.requests.filter((path) => path !== '/.well-known/openid-configuration');
  expect(await codeOf(oauth.begin({ provider }))).toMatch(
    /^auth\.(oauth_failed|provider_unavailable)$/,
  );
  expect(issuer.requests.filter((path) => !path.startsWith('/.well-known/'))).toEqual(before);
});

test('no more is asked of an issuer than who somebody is', async ({ db }) => {
  const { oauth, provider } = openOAuth(db, [corp(issuer)]);
  const { searchParams } = new URL((await oauth.begin({ provider })).url);
  expect(searchParams.get('scope')).toBe('openid email profile');
  expect(searchParams.get('response_type')).toBe('code');
});
