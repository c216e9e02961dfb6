import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import type { Db } from '@svc/db';
import { expect, test } from 'vitest';
import {
  apple,
  createOAuth,
  google,
  type Grant,
  microsoft,
  type OAuthProvider,
  oidc,
} from '../src/oauth.ts';
import { codeOf, openAuth } from './open-auth.ts';

const client = { clientId: 'projects', clientSecret: 'a secret' };
const granted = (claims: Record<string, unknown>): Grant => ({
  claims,
  get: async () => ({}),
});
const profileOf = async (provider: OAuthProvider, claims: Record<string, unknown>) =>
  provider.profile(granted({ sub: '1', ...claims }));

test('Google vouches for Gmail and for the Workspace that it manages', async () => {
  const claims = {
    iss: 'https://accounts.google.com',
    email: 'a@corp.example',
    email_verified: true,
  };
  const plain = await profileOf(google(client), claims);
  expect(['gmail.com', 'googlemail.com', 'corp.example'].map(plain.vouchesFor)).toEqual([
    true,
    true,
    false,
  ]);
  const managed = await profileOf(google(client), { ...claims, hd: 'corp.example' });
  expect(managed.vouchesFor('corp.example')).toBe(true);
  const told = await profileOf(google({ ...client, trustedDomains: ['other.example'] }), {
    ...claims,
    hd: 'corp.example',
  });
  expect(['other.example', 'corp.example', 'gmail.com'].map(told.vouchesFor)).toEqual([
    true,
    false,
    false,
  ]);
});

const tenant = '6babcaad-604b-40ac-a9d7-9fd97c0b779f';
const login = 'https://login.microsoftonline.com';
const stranger = '11111111-2222-3333-4444-555555555555';

test('the address that Microsoft tells proves nothing without xms_edov (nOAuth)', async () => {
  const provider = microsoft({ ...client, tenant: 'common' });
  const claims = { tid: tenant, iss: `${login}/${tenant}/v2.0`, email: 'a@example.com' };
  for (const edov of [undefined, 0, '0', false]) {
    const profile = await profileOf(provider, { ...claims, email_verified: true, xms_edov: edov });
    expect(profile).toMatchObject({ emailVerified: false });
  }
  for (const edov of [1, '1', true]) {
    const profile = await profileOf(provider, { ...claims, xms_edov: edov });
    expect(profile).toMatchObject({ emailVerified: true, issuer: claims.iss });
    expect(profile.vouchesFor('example.com')).toBe(false);
  }
});

test('Microsoft accounts come from the tenants that are allowed, and from the issuer that their tenant has', async () => {
  const from = (tid: unknown, iss = `${login}/${String(tid)}/v2.0`) => ({ tid, iss });
  const one = microsoft({ ...client, tenant });
  await profileOf(one, from(tenant));
  expect(await codeOf(run(one, from(stranger)))).toBe('auth.oauth_failed');
  const some = microsoft({ ...client, tenant: 'organizations', tenants: [tenant] });
  await profileOf(some, from(tenant));
  expect(await codeOf(run(some, from(stranger)))).toBe('auth.oauth_failed');
  const all = microsoft({ ...client, tenant: 'common' });
  await profileOf(all, from(stranger));
  for (const claims of [from(tenant, `${login}/${stranger}/v2.0`), from('../x'), from(undefined)])
    expect(await codeOf(run(all, claims))).toBe('auth.oauth_failed');
  expect(() => microsoft({ ...client, tenant: 'contoso.example' })).toThrow(TypeError);
  expect(() => microsoft({ ...client, tenant: 'common', tenants: ['x'] })).toThrow(TypeError);
});

const run = async (provider: OAuthProvider, claims: Record<string, unknown>) =>
  profileOf(provider, claims);

test('the secret of Apple is signed anew with the key, for five minutes', async () => {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  const provider = apple({ clientId: 'com.example.app', teamId: 'TEAM', keyId: 'KEY', privateKey });
  if (typeof provider.clientSecret !== 'function') throw new Error('not a function');
  const secret = provider.clientSecret(new Date(1_000_000));
  const [header = '', claims = '', signature = ''] = secret.split('.');
  const decoded = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown;
  expect(decoded(header)).toEqual({ alg: 'ES256', kid: 'KEY' });
  expect(decoded(claims)).toEqual({
    iss: 'TEAM',
    sub: 'com.example.app',
    aud: 'https://appleid.apple.com',
    iat: 1000,
    exp: 1300,
  });
  const key = {
    key: createPublicKey(pair.publicKey.export({ type: 'spki', format: 'pem' })),
    dsaEncoding: 'ieee-p1363' as const,
  };
  const fits = verify(
    'sha256',
    Buffer.from(`${header}.${claims}`),
    key,
    Buffer.from(signature, 'base64url'),
  );
  expect(fits).toBe(true);
  expect(await profileOf(provider, { email_verified: 'true' })).toMatchObject({
    emailVerified: true,
  });
  expect(await profileOf(provider, { email_verified: 'false' })).toMatchObject({
    emailVerified: false,
  });
  const attempt = () =>
    apple({ clientId: 'x', teamId: 'x', keyId: 'x', privateKey: 'a private thing' });
  expect(attempt).toThrow(/P-256/);
  expect(attempt).not.toThrow(/private thing/);
});

test('a provider is reached by https; by http only on loopback, from an app on loopback', () => {
  const open = (issuer: string, publicUrl = 'http://localhost:3000') => {
    const { auth } = openAuth({} as Db, { publicUrl });
    createOAuth({ auth, providers: [oidc({ id: 'corp', issuer, clientId: 'x' })] });
  };
  open('https://issuer.example', 'https://app.example.com');
  open('http://127.0.0.1:4000');
  open('http://[::1]:4000');
  for (const issuer of ['http://issuer.example', 'http://127.0.0.1.evil.example', 'ftp://x', 'x'])
    expect(() => open(issuer)).toThrow(TypeError);
  expect(() => open('http://127.0.0.1:4000', 'https://app.example.com')).toThrow(TypeError);
});

test('wrong arguments are refused at the start', () => {
  const { auth } = openAuth({} as Db);
  const provider = oidc({ id: 'corp', issuer: 'https://issuer.example', clientId: 'x' });
  expect(() => createOAuth({ auth, providers: [provider, provider] })).toThrow(/two providers/);
  for (const id of ['', 'Corp', '../x', 'x'.repeat(33)])
    expect(() => createOAuth({ auth, providers: [{ ...provider, id }] })).toThrow(/the id/);
  const { auth: bare } = openAuth({} as Db, { cipher: undefined as never });
  expect(() => createOAuth({ auth: bare, providers: [provider] })).toThrow(/cipher/);
});
