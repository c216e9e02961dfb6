import { createCipheriv, createDecipheriv } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { randomBytes } from '@svc/core';
import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { decodeJwt, decodeProtectedHeader, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { jwksRoutes, requireToken, requireUser, type TokenEnv } from '../src/hono/index.ts';
import { authMigrations } from '../src/migrations.ts';
import {
  type Cipher,
  createServiceTokens,
  type ServiceTokenClaims,
  type ServiceTokensOptions,
  serviceTokenVerifier,
  signingKeyPublished,
} from '../src/tokens/index.ts';
import { codeOf, openAuth, tally } from './open-auth.ts';

const test = databaseTest([authMigrations]);
const audience = 'billing';

/** AES-256-GCM, as an app's cipher does it. */
function openCipher(): Cipher & { readonly sealed: string[] } {
  const key = randomBytes(32);
  const sealed: string[] = [];
  return {
    sealed,
    seal(plaintext, context) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
      const bytes = [cipher.update(plaintext, 'utf8'), cipher.final()];
      sealed.push(plaintext);
      return Buffer.concat([iv, ...bytes, cipher.getAuthTag()]).toString('base64url');
    },
    open(text, context) {
      const bytes = Buffer.from(text, 'base64url');
      const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-16));
      return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]).toString();
    },
  };
}

let issuers = 0;
/** The tokens of an issuer of the test's own; `another()` is the same issuer in another process. */
function openTokens(db: Db, options: Partial<ServiceTokensOptions> = {}) {
  const clock = testClock();
  const logger = recordingLogger();
  const cipher = openCipher();
  const issuer = `https://service${++issuers}.example.com`;
  const another = () => createServiceTokens({ db, issuer, cipher, clock, logger, ...options });
  const kids = async (tokens = another()) => (await tokens.jwks()).keys.map((key) => key.kid);
  return { clock, logger, cipher, issuer, tokens: another(), another, kids };
}

const kidOf = (token: string) => decodeProtectedHeader(token).kid as string;

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

test('two hours and more before a key signs, it is published', async ({ db }) => {
  const { tokens, clock, kids, another } = openTokens(db, { rotateEvery: '10d' });
  const published = await kids(tokens);
  expect(published).toHaveLength(2);
  const first = kidOf(await tokens.issue({ subject: 'orders', audience }));
  expect(first).toBe(published[0]);
  await clock.advance('863999s');
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).toBe(published[0]);
  await clock.advance('1s');
  // No process has to do anything for that.
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).toBe(published[1]);
  // Nor does a very late rotation use a key that nobody knows.
  await clock.advance('30d');
  expect(await another().rotate()).toBe(true);
  const late = await kids();
  expect(late).toHaveLength(2);
  await clock.advance('7199s');
  expect(kidOf(await another().issue({ subject: 'orders', audience }))).toBe(published[1]);
  await clock.advance('1s');
  expect(kidOf(await another().issue({ subject: 'orders', audience }))).toBe(late[1]);
});

test('after a rotation, tokens of the former key are accepted until they expire, and then the key is gone', async ({
  db,
}) => {
  const { tokens, clock, kids, another } = openTokens(db, { ttl: '1h' });
  await tokens.start();
  await clock.advance('3h');
  const token = await tokens.issue({ subject: 'orders', audience });
  expect(await tokens.rotate()).toBe(true);
  const newer = await tokens.issue({ subject: 'orders', audience });
  expect(kidOf(newer)).not.toBe(kidOf(token));
  expect(await kids(tokens)).toHaveLength(3);
  await clock.advance('1h');
  for (const each of [tokens, another()])
    expect((await each.verify(token, { audience })).sub).toBe('orders');
  await clock.advance('10m');
  expect(await kids(tokens)).not.toContain(kidOf(token));
  await tokens.stop();
  const next = another();
  await next.start();
  await next.stop();
  const { rows } = await sql`select from svc_auth.signing_keys where id = ${kidOf(token)}`.execute(
    db,
  );
  expect(rows).toHaveLength(0);
});

test('a second rotation waits until the next key is known to receivers', async ({ db }) => {
  const { tokens, clock, kids } = openTokens(db);
  await kids(tokens);
  expect(await tokens.rotate()).toBe(false);
  await clock.advance('2h');
  expect(await tokens.rotate()).toBe(true);
  expect(await tokens.rotate()).toBe(false);
});

test('50 processes that rotate at once make one key, asked to or because it is due', async ({
  db,
}) => {
  const { another, clock, kids } = openTokens(db);
  using seen = recordEvents(signingKeyPublished);
  const fifty = () => Array.from({ length: 50 }, another);
  await kids();
  await clock.advance('2h');
  const asked = await Promise.all(fifty().map((each) => each.rotate()));
  expect(asked.filter(Boolean)).toHaveLength(1);
  expect(await kids()).toHaveLength(3);
  await clock.advance('30d');
  const due = fifty();
  await Promise.all(due.map((each) => each.start()));
  await Promise.all(due.map((each) => each.stop()));
  expect(seen.events).toHaveLength(4);
  expect(await kids()).toHaveLength(3);
});

test('50 processes that issue their first token at once agree on one key', async ({ db }) => {
  const { another, kids } = openTokens(db);
  const processes = Array.from({ length: 50 }, another);
  const made = await Promise.all(
    processes.map((each) => each.issue({ subject: 'orders', audience })),
  );
  expect(new Set(made.map(kidOf)).size).toBe(1);
  expect(await kids()).toHaveLength(2);
  const checks = made.map((token, index) =>
    (processes[49 - index] as (typeof processes)[0]).verify(token, { audience }),
  );
  expect(await tally(checks)).toEqual({ fulfilled: 50, codes: [] });
});

test('in the background keys rotate by themselves', async ({ db }) => {
  const clock = testClock();
  const { tokens, logger, kids, issuer } = openTokens(db, { clock, rotateEvery: '1d' });
  await tokens.start();
  await tokens.start();
  expect(clock.sleeping).toBe(1);
  const [, second] = await kids();
  const rotated = nextKeyOf(issuer);
  await clock.advance('1d');
  await rotated;
  expect(await kids()).toHaveLength(3);
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).toBe(second);
  await tokens.stop();
  expect(clock.sleeping).toBe(0);
  expect(logger.lines).toEqual([]);
});

test('a rotation that fails is logged and tried again', async ({ db }) => {
  let broken = false;
  const inner = openCipher();
  const cipher: Cipher = {
    open: inner.open,
    seal(plaintext, context) {
      if (broken) throw new Error('no key');
      return inner.seal(plaintext, context);
    },
  };
  const lines = recordingLogger();
  let logged = () => {};
  const logger = {
    ...lines,
    error: (fields: object, message: string) => (lines.error(fields, message), logged()),
  };
  const { tokens, clock, issuer } = openTokens(db, { cipher, logger, rotateEvery: '1d' });
  await tokens.start();
  broken = true;
  const failed = new Promise<void>((resolve) => (logged = resolve));
  await clock.advance('1d');
  await failed;
  broken = false;
  const rotated = nextKeyOf(issuer);
  // The round that failed is on its way back to sleep.
  while (clock.sleeping === 0) await setImmediate();
  await clock.advance('15m');
  await rotated;
  await tokens.stop();
});

test('whoever starts it is told when it does not work, and may start it again', async ({ db }) => {
  const inner = openCipher();
  let broken = true;
  const seal: Cipher['seal'] = (plaintext, context) => {
    if (broken) throw new Error('no key');
    return inner.seal(plaintext, context);
  };
  const { tokens, clock } = openTokens(db, { cipher: { open: inner.open, seal } });
  await expect(tokens.start()).rejects.toThrow('no key');
  broken = false;
  await tokens.start();
  expect(clock.sleeping).toBe(1);
  await tokens.stop();
});

test('the database holds no private key that can be read, and no row of one place opens in another', async ({
  db,
}) => {
  const { tokens, another, cipher, issuer } = openTokens(db);
  const token = await tokens.issue({ subject: 'orders', audience });
  const { rows } = await sql<{
    line: string;
  }>`select t::text as line from svc_auth.signing_keys t`.execute(db);
  const dump = rows.map(({ line }) => line).join('\n');
  const secrets = cipher.sealed.map((text) => (JSON.parse(text) as { d: string }).d);
  expect(secrets).toHaveLength(2);
  for (const secret of secrets) expect(dump).not.toContain(secret);
  expect(dump).not.toContain(token);

  await sql`update svc_auth.signing_keys a set private_key = b.private_key
    from svc_auth.signing_keys b where a.issuer = ${issuer} and b.issuer = ${issuer} and a.id <> b.id`.execute(
    db,
  );
  await expect(another().issue({ subject: 'orders', audience })).rejects.toThrow();
});

test('another service checks tokens by the published keys alone', async ({ db }) => {
  const { tokens, issuer, clock, another } = openTokens(db);
  const wellKnown = new Hono().route('/.well-known', jwksRoutes(tokens));
  const receiver = serviceTokenVerifier({
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
  const { token: session } = await auth.login({
    email: await member(),
    password: 'seven quiet otters at dawn',
  });
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

/** Resolves when the issuer's next key is published. */
function nextKeyOf(issuer: string): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = signingKeyPublished.subscribe(({ payload }) => {
      if (payload.issuer === issuer) resolve(unsubscribe());
    });
  });
}

function keyFrom(jwk: string) {
  return crypto.subtle.importKey('jwk', JSON.parse(jwk), 'Ed25519', false, ['sign']);
}

const padded = (bytes: Uint8Array) => Buffer.concat([bytes, Buffer.alloc(32)]).subarray(0, 32);

function swapPayload(token: string, payload: object): string {
  const [header, , signature] = token.split('.');
  const encoded = Buffer.from(JSON.stringify(payload)).toString('base64url');
  return `${header}.${encoded}.${signature}`;
}
