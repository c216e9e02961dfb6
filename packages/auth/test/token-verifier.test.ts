import { recordingLogger, testClock } from '@svc/core/testing';
import { stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { exportJWK, exportSPKI, generateKeyPair, type JWK, SignJWT, UnsecuredJWT } from 'jose';
import { expect, test } from 'vitest';
import { requireToken, type TokenEnv } from '../src/hono.ts';
import {
  createTokenVerifier,
  type TokenVerifierOptions,
  type TokenAlgorithm,
} from '../src/tokens.ts';
import { codeOf } from './open-auth.ts';

const issuer = 'https://id.example.com/tenant';
const audience = 'https://api.example.com';
const refused = 'auth.invalid_bearer_token';

async function makeKey(kid: string, alg: TokenAlgorithm = 'ES256') {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, publicKey, privateKey, jwk: { ...(await exportJWK(publicKey)), kid } as JWK };
}
type Key = Awaited<ReturnType<typeof makeKey>>;

/** An issuer in the test's hands, and who checks its tokens. */
async function openIssuer(options: Partial<TokenVerifierOptions> = {}) {
  const clock = testClock();
  const logger = recordingLogger();
  const key = await makeKey('first');
  const site = {
    keys: [key.jwk] as unknown[],
    metadata: { issuer, jwks_uri: 'https://keys.example.com/jwks' } as object,
    requests: [] as string[],
    /** Answers in place of the site. */
    answer: undefined as ((init: RequestInit) => Promise<Response>) | undefined,
  };
  const fetch = async (url: string, init: RequestInit) => {
    site.requests.push(url);
    if (site.answer !== undefined) return site.answer(init);
    return Response.json(url.endsWith('/jwks') ? { keys: site.keys } : site.metadata);
  };
  const jwksUrl = 'https://id.example.com/jwks';
  const open = (more: Partial<TokenVerifierOptions> = {}) =>
    createTokenVerifier({ issuer, audience, jwksUrl, fetch, clock, logger, ...options, ...more });
  const iat = clock.now().getTime() / 1000;
  const claims = { iss: issuer, sub: 'ada', aud: audience, iat, exp: iat + 7 * 86_400 };
  const sign = (payload: object = claims, header: object = {}, by: Key = key) =>
    new SignJWT({ ...payload })
      .setProtectedHeader({ alg: by.alg, typ: 'at+jwt', kid: by.kid, ...header })
      .sign(by.privateKey);
  return { clock, logger, key, site, fetch, open, tokens: open(), claims, iat, sign };
}

const down = async () => {
  throw new TypeError('fetch failed');
};

for (const alg of ['RS256', 'ES256', 'EdDSA'] as const) {
  test(`a token signed with ${alg} is accepted, unless that is not among the algorithms`, async () => {
    const { site, tokens, open, claims, sign } = await openIssuer();
    const key = await makeKey('its', alg);
    site.keys = [key.jwk];
    const token = await sign(claims, {}, key);
    expect(await tokens.verify(token)).toEqual(claims);
    const others = (['RS256', 'ES256', 'EdDSA'] as const).filter((each) => each !== alg);
    expect(await codeOf(open({ algorithms: others }).verify(token))).toBe(refused);
  });
}

test('a public key is no secret: HS256 and none are refused, whatever they are made with', async () => {
  const { tokens, claims, site } = await openIssuer();
  const rsa = await makeKey('rsa', 'RS256');
  site.keys = [rsa.jwk, { kty: 'oct', kid: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0' }];
  const secrets = {
    pem: Buffer.from(await exportSPKI(rsa.publicKey)),
    jwk: Buffer.from(JSON.stringify(rsa.jwk)),
    modulus: Buffer.from(rsa.jwk.n as string, 'base64url'),
    oct: Buffer.from('secret-secret-secret-secret'.padEnd(32, '-')),
  };
  for (const [kid, secret] of Object.entries(secrets)) {
    const forged = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt', kid: kid === 'oct' ? 'oct' : 'rsa' })
      .sign(secret);
    expect([kid, await codeOf(tokens.verify(forged))]).toEqual([kid, refused]);
  }
  const none = new UnsecuredJWT(claims).encode();
  const [, payload] = none.split('.');
  for (const alg of ['none', 'NONE', 'None']) {
    const header = Buffer.from(JSON.stringify({ alg, typ: 'at+jwt', kid: 'rsa' })).toString(
      'base64url',
    );
    for (const signature of ['', 'AAAA'])
      expect(await codeOf(tokens.verify(`${header}.${payload}.${signature}`))).toBe(refused);
  }
});

test('a token that is not from the issuer, not for us, incomplete, too old or of another type is refused', async () => {
  const { tokens, claims, iat, sign, logger } = await openIssuer({ maxAge: '1d' });
  const without = (name: string) =>
    Object.fromEntries(Object.entries(claims).filter(([claim]) => claim !== name));
  expect(
    await tokens.verify(await sign({ ...claims, aud: ['https://x.example', audience] })),
  ).toBeTruthy();
  const bad: Record<string, string> = {
    ...Object.fromEntries(
      await Promise.all(
        ['iss', 'sub', 'aud', 'exp', 'iat'].map(async (claim) => [
          `no ${claim}`,
          await sign(without(claim)),
        ]),
      ),
    ),
    'another issuer': await sign({ ...claims, iss: 'https://id.example.com/tenant/' }),
    'an issuer among several': await sign({ ...claims, iss: [issuer] }),
    'another audience': await sign({ ...claims, aud: 'https://api.example.com.evil.example' }),
    expired: await sign({ ...claims, exp: iat - 60 }),
    'an exp that is a text': await sign({ ...claims, exp: String(iat + 600) }),
    'not valid yet': await sign({ ...claims, nbf: iat + 61 }),
    'too old': await sign({ ...claims, iat: iat - 86_461 }),
    'an empty sub': await sign({ ...claims, sub: '' }),
    'a sub that is a number': await sign({ ...claims, sub: 7 }),
    'another type': await sign(claims, { typ: 'JWT' }),
    'a service token': await sign(claims, { typ: 'svc+jwt' }),
    'no type': await sign(claims, { typ: undefined }),
    'a stranger with the same kid': await sign(claims, {}, await makeKey('first')),
    'no JWT': 'x.y',
    'too long': `${await sign()}${'A'.repeat(9000)}`,
  };
  for (const [what, token] of Object.entries(bad))
    expect([what, await codeOf(tokens.verify(token))]).toEqual([what, refused]);
  await tokens.verify(await sign({ ...claims, exp: iat - 59 }));
  expect(JSON.stringify(logger.lines)).not.toContain('ada');
});

test('an issuer that names another type, or none, can be allowed to', async () => {
  const { open, sign, claims } = await openIssuer();
  await open({ type: 'JWT' }).verify(await sign(claims, { typ: 'JWT' }));
  await open({ type: null }).verify(await sign(claims, { typ: undefined }));
});

test('keys that a token brings or points to are not used', async () => {
  const { tokens, claims, sign, site } = await openIssuer();
  const own = await makeKey('first');
  for (const header of [
    { jwk: own.jwk },
    { jku: 'https://evil.example/jwks' },
    { x5u: 'https://evil.example/cert' },
    { jwk: own.jwk, kid: undefined },
  ])
    expect(await codeOf(tokens.verify(await sign(claims, header, own)))).toBe(refused);
  expect(site.requests).toEqual(['https://id.example.com/jwks']);
});

test('keys are fetched once for many at once, and again after an hour', async () => {
  const { tokens, sign, site, clock } = await openIssuer();
  const token = await sign();
  expect(site.requests).toHaveLength(0);
  await Promise.all(Array.from({ length: 50 }, () => tokens.verify(token)));
  await clock.advance('3599s');
  await tokens.verify(token);
  expect(site.requests).toHaveLength(1);
  await clock.advance('1s');
  await Promise.all(Array.from({ length: 50 }, () => tokens.verify(token)));
  expect(site.requests).toHaveLength(2);
});

test('a key that the issuer took back is refused after an hour', async () => {
  const { tokens, sign, site, clock } = await openIssuer();
  const token = await sign();
  await tokens.verify(token);
  site.keys = [(await makeKey('second')).jwk];
  await clock.advance('1h');
  expect(await codeOf(tokens.verify(token))).toBe(refused);
});

test('a new key of the issuer is known at the first token that names it', async () => {
  const { tokens, sign, site, clock, claims } = await openIssuer();
  await tokens.verify(await sign());
  const second = await makeKey('second');
  site.keys = [...site.keys, second.jwk];
  await clock.advance('30s');
  const token = await sign(claims, {}, second);
  await Promise.all(Array.from({ length: 50 }, () => tokens.verify(token)));
  await tokens.verify(await sign());
  expect(site.requests).toHaveLength(2);
});

test('a flood of tokens with unknown keys makes one request every 30 seconds', async () => {
  const { tokens, sign, site, clock, claims } = await openIssuer();
  await tokens.verify(await sign());
  const stranger = await makeKey('stranger');
  const flood = await Promise.all(
    Array.from({ length: 50 }, (_, index) => sign(claims, { kid: `junk-${index}` }, stranger)),
  );
  for (let second = 0; second < 60; second += 1) {
    const codes = await Promise.all(flood.map((token) => codeOf(tokens.verify(token))));
    expect(new Set(codes)).toEqual(new Set([refused]));
    await clock.advance('1s');
  }
  expect(site.requests).toHaveLength(2);
  await tokens.verify(await sign());
});

test('while the issuer is down, the keys serve for a day, nobody waits, and it is asked every 30 seconds', async () => {
  const { tokens, sign, site, clock, logger } = await openIssuer();
  const token = await sign();
  await tokens.verify(token);
  site.answer = down;
  await clock.advance('1h');
  for (let second = 0; second < 60; second += 1) {
    await tokens.verify(token);
    await clock.advance('1s');
  }
  expect(site.requests).toHaveLength(3);
  expect(logger.lines.filter((line) => line.level === 'warn')).toHaveLength(2);
  // A hanging issuer holds nobody up either.
  site.answer = () => new Promise(() => {});
  await tokens.verify(token);
  await clock.advance('22h');
  await tokens.verify(token);
  await clock.advance('1h');
  site.answer = down;
  expect(await codeOf(tokens.verify(token))).toBe('auth.issuer_unavailable');
  site.answer = undefined;
  await clock.advance('30s');
  await tokens.verify(token);
});

test('an issuer that was never reached is a failure of its own, and asked again after 5 seconds', async () => {
  const { tokens, sign, site, clock, logger } = await openIssuer();
  const token = await sign();
  site.answer = down;
  for (let times = 0; times < 3; times += 1)
    await expect(tokens.verify(token)).rejects.toMatchObject({
      code: 'auth.issuer_unavailable',
      details: { retryAfterSeconds: 5 },
    });
  expect(site.requests).toHaveLength(1);
  expect(logger.lines).toMatchObject([{ level: 'warn', fields: { reason: 'fetch failed' } }]);
  site.answer = undefined;
  await clock.advance('5s');
  await tokens.verify(token);
});

test('an answer that hangs, is endless, redirects, or is no key set counts as none', async () => {
  const { sign, site, clock, open } = await openIssuer();
  const token = await sign();
  let aborted = false;
  let redirect: string | undefined;
  site.answer = (init) => {
    init.signal?.addEventListener('abort', () => (aborted = true));
    redirect = init.redirect;
    return new Promise(() => {});
  };
  const hanging = codeOf(open().verify(token));
  await clock.advance('5s');
  expect(await hanging).toBe('auth.issuer_unavailable');
  expect([aborted, redirect]).toEqual([true, 'error']);

  let sent = 0;
  const endless = () =>
    new ReadableStream({
      pull(controller) {
        sent += 1;
        controller.enqueue(new Uint8Array(65_536).fill(32));
      },
    });
  const answers = {
    endless: () => new Response(endless()),
    'a failure': () => Response.json({ keys: site.keys }, { status: 503 }),
    'no JSON': () => new Response('<html>'),
    'no keys': () => Response.json({}),
    'a list': () => Response.json(site.keys),
    'too many keys': () => Response.json({ keys: Array.from({ length: 101 }, () => site.keys[0]) }),
    'no body': () => new Response(null),
  };
  for (const [what, answer] of Object.entries(answers)) {
    site.answer = async () => answer();
    expect([what, await codeOf(open().verify(token))]).toEqual([what, 'auth.issuer_unavailable']);
  }
  expect(sent).toBeLessThan(10);
  expect(clock.sleeping).toBe(0);
});

test('keys that cannot be used do no harm to those that can, and are no error of the server', async () => {
  const { tokens, sign, site, key, claims, logger } = await openIssuer();
  const broken = await makeKey('broken', 'RS256');
  const secret = await exportJWK((await makeKey('private')).privateKey);
  site.keys = [
    null,
    'key',
    { kty: 'EC' },
    { kty: 'FUTURE', kid: 'first' },
    { ...broken.jwk, n: 'AQAB' },
    { ...secret, kid: 'private' },
    { ...key.jwk, use: 'enc', kid: 'enc' },
    key.jwk,
  ];
  await tokens.verify(await sign());
  expect(await codeOf(tokens.verify(await sign(claims, {}, broken)))).toBe(refused);
  expect(await codeOf(tokens.verify(await sign(claims, { kid: 'private' })))).toBe(refused);
  expect(await codeOf(tokens.verify(await sign(claims, { kid: 'enc' })))).toBe(refused);
  expect(logger.lines.filter((line) => line.level === 'warn')).toHaveLength(1);
});

test('without an address of the keys, the discovery document of the issuer tells it', async () => {
  const { sign, site, fetch, clock } = await openIssuer();
  const discovering = () => createTokenVerifier({ issuer, audience, fetch, clock });
  const token = await sign();
  await discovering().verify(token);
  expect(site.requests).toEqual([
    'https://id.example.com/tenant/.well-known/openid-configuration',
    'https://keys.example.com/jwks',
  ]);
  for (const metadata of [
    { issuer: 'https://evil.example', jwks_uri: 'https://evil.example/jwks' },
    { issuer, jwks_uri: 'http://keys.example.com/jwks' },
    { issuer, jwks_uri: 'file:///etc/jwks' },
    { issuer },
    [],
  ]) {
    site.metadata = metadata;
    expect(await codeOf(discovering().verify(token))).toBe('auth.issuer_unavailable');
  }
});

test('requireToken answers 503, not 401, while tokens cannot be checked', async () => {
  const { tokens, sign, site } = await openIssuer();
  const app = new Hono<TokenEnv>();
  stack(app, { logger: recordingLogger(), typeBase: 'https://app.example.com/errors' });
  app.get('/', requireToken(tokens), (c) => c.json(c.get('token')));
  site.answer = down;
  const answer = await app.request('/', { headers: { Authorization: `Bearer ${await sign()}` } });
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '5']);
  expect(answer.headers.get('www-authenticate')).toBeNull();
});

test('options that would weaken the check are mistakes of the program', async () => {
  const { open } = await openIssuer();
  for (const options of [
    { algorithms: ['HS256' as TokenAlgorithm] },
    { algorithms: ['none' as TokenAlgorithm] },
    { algorithms: [] },
    { issuer: '' },
    { audience: '' },
    { audience: [] },
    { jwksUrl: 'http://id.example.com/jwks' },
    { jwksUrl: 'https://user:secret@id.example.com/jwks' },
    { jwksUrl: 'file:///etc/jwks' },
    { jwksUrl: 'jwks' },
  ])
    expect(() => open(options)).toThrow(TypeError);
  open({ jwksUrl: 'http://127.0.0.1:8080/jwks' });
  open({ jwksUrl: 'http://id.internal/jwks', allowHttp: true });
  expect(() => createTokenVerifier({ issuer: 'http://id.example.com', audience })).toThrow(
    TypeError,
  );
});
