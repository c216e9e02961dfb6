import { signedIn } from '../src/testing.ts';
import { recordingLogger } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { expect } from 'vitest';
import { jwksRoutes, requireToken, requireUser, type TokenEnv } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { type ServiceTokenClaims, createServiceTokenVerifier } from '../src/tokens.ts';
import { codeOf, openAuth } from './open-auth.ts';
import { audience, kidOf, openTokens } from './open-tokens.ts';

const test = databaseTest([authMigrations]);

test('a token says who calls whom, for five minutes', async ({ db }) => {
  const { tokens, issuer, clock } = openTokens(db);
  const token = await tokens.issue({ subject: 'orders', audience, claims: { scope: 'charge' } });
  expect(decodeProtectedHeader(token)).toEqual({
    alg: 'EdDSA',
    typ: 'svc+jwt',
    kid: expect.any(String),
  });
  const iat = clock.now().getTime() / 1000;
  expect(await tokens.verify(token, { audience })).toEqual({
    iss: issuer,
    sub: 'orders',
    aud: audience,
    iat,
    exp: iat + 300,
    jti: expect.any(String),
    scope: 'charge',
  });
  const other = await tokens.issue({ subject: 'orders', audience });
  expect(decodeJwt(other).jti).not.toBe(decodeJwt(token).jti);
});

test('a token is refused when it has expired, but for a minute of clock difference', async ({
  db,
}) => {
  const { tokens, clock } = openTokens(db);
  const token = await tokens.issue({ subject: 'orders', audience });
  await clock.advance('359s');
  await tokens.verify(token, { audience });
  await clock.advance('1s');
  expect(await codeOf(tokens.verify(token, { audience }))).toBe('auth.invalid_bearer_token');
});

test('a token is refused by whom it is not for, and by another issuer with the same database', async ({
  db,
}) => {
  const [one, other] = [openTokens(db), openTokens(db)];
  const token = await one.tokens.issue({ subject: 'orders', audience });
  for (const refused of [
    one.tokens.verify(token, { audience: 'mail' }),
    other.tokens.verify(token, { audience }),
  ])
    expect(await codeOf(refused)).toBe('auth.invalid_bearer_token');
});

test('what is forged, unsigned, of another type or incomplete is refused, even with the right key', async ({
  db,
}) => {
  const { tokens, issuer, cipher, clock, logger } = openTokens(db);
  const real = await tokens.issue({ subject: 'orders', audience });
  const kid = kidOf(real);
  const [jwk] = (await tokens.jwks()).keys;
  const own = await keyFrom(cipher.sealed[0] as string);
  const stranger = (await generateKeyPair('EdDSA')).privateKey;
  const publicBytes = Buffer.from(jwk?.x as string, 'base64url');
  const good = decodeJwt(real);
  const { exp: _exp, ...endless } = good;
  const { jti: _jti, ...anonymous } = good;
  const { sub: _sub, ...nobody } = good;
  const iat = clock.now().getTime() / 1000;
  const header = { alg: 'EdDSA', typ: 'svc+jwt', kid };
  const sign = (payload: object, over: object = {}, key: typeof own | Uint8Array = own) =>
    new SignJWT({ ...payload }).setProtectedHeader({ ...header, ...over }).sign(key);

  expect(await tokens.verify(await sign(good), { audience })).toEqual(good);
  const forgeries: Record<string, string> = {
    'no algorithm': new UnsecuredJWT({ ...good }).encode(),
    'the public key as a secret': await sign(good, { alg: 'HS256' }, padded(publicBytes)),
    'the public JWK as a secret': await sign(
      good,
      { alg: 'HS256' },
      Buffer.from(JSON.stringify(jwk)),
    ),
    'the key of a stranger': await sign(good, {}, stranger),
    'an unknown key': await sign(good, { kid: 'x' }, stranger),
    'no kid': await sign(good, { kid: undefined }),
    'another type': await sign(good, { typ: 'at+jwt' }),
    'no type': await sign(good, { typ: undefined }),
    'no exp': await sign(endless),
    'no jti': await sign(anonymous),
    'no sub': await sign(nobody),
    'a sub that is no text': await sign({ ...good, sub: ['orders'] }),
    'another issuer': await sign({ ...good, iss: `${issuer}/` }),
    'issued too long ago': await sign({ ...good, iat: iat - 3661 }),
    'issued in the future': await sign({ ...good, iat: iat + 61 }),
    'not valid yet': await sign({ ...good, nbf: iat + 61 }),
    'a changed payload': swapPayload(real, { ...good, sub: 'admin' }),
    'no JWT': 'abc',
    nothing: '',
    'too long': `${real}${'A'.repeat(9000)}`,
  };
  for (const [what, token] of Object.entries(forgeries))
    expect([what, await codeOf(tokens.verify(token, { audience }))]).toEqual([
      what,
      'auth.invalid_bearer_token',
    ]);
  // Reasons are logged, what the token says is not.
  expect(logger.lines.some((line) => line.fields['claim'] === 'exp')).toBe(true);
  expect(JSON.stringify(logger.lines)).not.toContain('orders');
});

test('another service checks tokens by the published keys alone', async ({ db }) => {
  const { tokens, issuer, clock, another } = openTokens(db);
  const wellKnown = new Hono().route('/.well-known', jwksRoutes(tokens));
  const receiver = createServiceTokenVerifier({
    issuer,
    audience,
    jwksUrl: `${issuer}/.well-known/jwks.json`,
    fetch: async (url) => wellKnown.request(url),
    clock,
  });
  const token = await tokens.issue({ subject: 'orders', audience });
  expect((await receiver.verify(token)).sub).toBe('orders');
  const strange = await tokens.issue({ subject: 'orders', audience: 'mail' });
  expect(await codeOf(receiver.verify(strange))).toBe('auth.invalid_bearer_token');
  await clock.advance('2h');
  await another().rotate();
  // The next key was among those that the receiver has.
  const newer = await another().issue({ subject: 'orders', audience });
  expect((await receiver.verify(newer)).sub).toBe('orders');

  const answer = await wellKnown.request('/.well-known/jwks.json');
  expect(answer.headers.get('content-type')).toBe('application/jwk-set+json');
  expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
  const { keys } = (await answer.json()) as { keys: object[] };
  for (const key of keys)
    expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x']);
});

test('a service token is no session, and a session is no service token', async ({ db }) => {
  const { auth, member } = openAuth(db);
  const { tokens } = openTokens(db);
  const { token: session } = signedIn(
    await auth.login({ email: await member(), password: 'seven quiet otters at dawn' }),
  );
  const token = await tokens.issue({ subject: 'orders', audience });
  const app = new Hono<HttpEnv>();
  stack(app, { logger: recordingLogger(), typeBase: 'https://app.example.com/errors' });
  app.get('/me', requireUser(auth), (c) => c.text(c.get('principal').userId));
  const get = (bearer: string) =>
    app.request('/me', { headers: { Authorization: `Bearer ${bearer}` } });
  expect((await get(session)).status).toBe(200);
  const answers = await Promise.all(Array.from({ length: 50 }, () => get(token)));
  expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401]));
  const cookie = await app.request('/me', { headers: { Cookie: `__Host-sid=${token}` } });
  expect(cookie.status).toBe(401);
  expect(await codeOf(tokens.verify(session, { audience }))).toBe('auth.invalid_bearer_token');
});

test('requireToken takes a token from the Authorization header alone, and never says it back', async ({
  db,
}) => {
  const { tokens } = openTokens(db);
  const logger = recordingLogger();
  const app = new Hono<TokenEnv<ServiceTokenClaims>>();
  stack(app, { logger, typeBase: 'https://app.example.com/errors' });
  const verifier = { verify: (token: string) => tokens.verify(token, { audience }) };
  app.all('/charge', requireToken(verifier), (c) => c.text(c.get('token').sub));
  const token = await tokens.issue({ subject: 'orders', audience });
  const bearing = (authorization: string) =>
    app.request('/charge', { headers: { Authorization: authorization } });

  expect(await (await bearing(`Bearer ${token}`)).text()).toBe('orders');
  const elsewhere = [
    await app.request(`/charge?access_token=${token}`),
    await app.request('/charge', {
      method: 'POST',
      body: new URLSearchParams({ access_token: token }),
    }),
    await app.request('/charge', { headers: { Cookie: `__Host-sid=${token}` } }),
    await bearing(`Basic ${token}`),
    await bearing(`Bearer ${token}, Bearer ${token}`),
  ];
  for (const answer of elsewhere)
    expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  const forged = await bearing(`Bearer ${token.slice(0, -8)}AAAAAAAA`);
  expect([forged.status, forged.headers.get('www-authenticate')]).toEqual([
    401,
    'Bearer error="invalid_token"',
  ]);
  const body = await forged.text();
  expect(JSON.parse(body)).toMatchObject({ code: 'auth.invalid_bearer_token' });
  const payload = token.split('.')[1] as string;
  expect(body + JSON.stringify([...forged.headers, logger.lines])).not.toContain(payload);
});

test('claims that are ours to set, and options that weaken tokens, are mistakes of the program', async ({
  db,
}) => {
  const { tokens } = openTokens(db);
  const input = { subject: 'orders', audience };
  for (const claim of ['iss', 'sub', 'aud', 'exp', 'nbf', 'iat', 'jti'])
    await expect(tokens.issue({ ...input, claims: { [claim]: 1 } })).rejects.toThrow(TypeError);
  await expect(tokens.issue({ ...input, claims: { long: 'x'.repeat(8000) } })).rejects.toThrow(
    TypeError,
  );
  await expect(tokens.issue({ ...input, subject: '' })).rejects.toThrow(TypeError);
  for (const options of [
    { ttl: '61m' },
    { ttl: '0s' },
    { rotateEvery: '119m' },
    { issuer: '' },
  ] as const)
    expect(() => openTokens(db, options).another()).toThrow(TypeError);
});

function keyFrom(jwk: string) {
  return crypto.subtle.importKey('jwk', JSON.parse(jwk), 'Ed25519', false, ['sign']);
}

const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(32)]).subarray(0, 32);

function swapPayload(token: string, payload: object): string {
  const [header, , signature] = token.split('.');
  const encoded = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `${header}.${encoded}.${signature}`;
}
