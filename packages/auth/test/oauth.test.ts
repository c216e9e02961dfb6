import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect } from 'vitest';
import { github } from '../src/oauth.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, openAuth, password, someone } from './open-auth.ts';
import {
  clientId,
  clientSecret,
  type Issuer,
  startGithub,
  startIssuer,
  visit,
} from './oauth-servers.ts';
import { corp, openOAuth } from './open-oauth.ts';

const test = databaseTest([authMigrations]);
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer({ providerIds: ['corp', 'other'] });
});
afterAll(() => issuer[Symbol.asyncDispose]());

let subjects = 0;
/** Somebody new sits before the browser. */
const sits = (email: string | null = someone(), isVerified = true) => {
  subjects += 1;
  const person = {
    sub: `subject-${subjects}`,
    name: 'Ada at the issuer',
    ...(email !== null && { email, email_verified: isVerified }),
  };
  issuer.person = person;
  return { ...person, email: email as string };
};
const trusting = { trustedDomains: ['example.com'] };

describeDatabases('signing in at an issuer', [authMigrations], (on) => {
  on(
    'opens an account the first time and finds it again, with the address in either place',
    async ({ db }) => {
      const { oauth, signIn, auth, outbox } = openOAuth(db, [corp(issuer, trusting)]);
      const person = sits();
      const first = await signIn();
      expect(first).toMatchObject({
        status: 'signed_in',
        returnTo: '/',
        user: { email: person.email, name: 'Ada at the issuer', verifiedAt: expect.any(Date) },
        session: { methods: ['federated'], level: 1 },
      });
      issuer.person = { ...person, email: someone(), name: 'Renamed' };
      const again = await signIn();
      if (first.status !== 'signed_in' || again.status !== 'signed_in') throw new Error('half');
      expect(again.user).toEqual(first.user);
      const principal = await auth.authenticate(again.token);
      if (principal === null) throw new Error('not signed in');
      expect(await oauth.identities(principal)).toMatchObject([
        {
          provider: 'corp',
          issuer: issuer.issuer,
          subject: person.sub,
          email: issuer.person.email,
        },
      ]);
      await outbox.next('security_notice', person.email);
    },
  );
});

test('the claims may stand in the ID token, too', async ({ db }) => {
  await using direct = await startIssuer({ inIdToken: true });
  const { signIn } = openOAuth(db, [corp(direct, trusting)]);
  const email = someone();
  direct.person = { sub: '1', email, email_verified: true };
  expect(await signIn()).toMatchObject({ status: 'signed_in', user: { email } });
  expect(direct.requests).not.toContain('/me');
});

test('metadata and keys are read once for many sign-ins', async ({ db }) => {
  await using counted = await startIssuer();
  const { signIn, clock } = openOAuth(db, [corp(counted, trusting)]);
  for (let round = 0; round < 3; round += 1) {
    counted.person = { sub: `${round}`, email: someone(), email_verified: true };
    await signIn();
  }
  const count = (path: string) => counted.requests.filter((each) => each === path).length;
  expect([count('/.well-known/openid-configuration'), count('/jwks')]).toEqual([1, 1]);
  await clock.advance('2h');
  await signIn();
  expect(count('/.well-known/openid-configuration')).toBe(2);
});

test('a state works once, also after an answer that was refused', async ({ db }) => {
  const { oauth, goThere } = openOAuth(db, [corp(issuer, trusting)]);
  sits();
  const returned = await goThere();
  await oauth.complete(returned);
  expect(await codeOf(oauth.complete(returned))).toBe('auth.oauth_failed');
  const refused = await goThere();
  const foreign = { ...refused, browserToken: (await goThere()).browserToken };
  expect(await codeOf(oauth.complete(foreign))).toBe('auth.oauth_failed');
  expect(await codeOf(oauth.complete(refused))).toBe('auth.oauth_failed');
  issuer.person = null;
});

test('a state belongs to the browser that began, and ends after 5 minutes', async ({ db }) => {
  const { oauth, goThere, clock } = openOAuth(db, [corp(issuer, trusting)]);
  sits();
  const stranger = await goThere();
  for (const browserToken of [undefined, '', 'x', stranger.browserToken]) {
    const own = await goThere();
    expect(await codeOf(oauth.complete({ ...own, browserToken }))).toBe('auth.oauth_failed');
  }
  const late = await goThere();
  await clock.advance('5m');
  expect(await codeOf(oauth.complete(late))).toBe('auth.oauth_failed');
});

test('20 first sign-ins of one person at once make one user with one identity', async ({ db }) => {
  const { oauth, goThere, auth } = openOAuth(db, [corp(issuer, { newAccounts: 'verified' })]);
  sits();
  const returned = await Promise.all(Array.from({ length: 20 }, () => goThere()));
  const done = await Promise.all(returned.map((each) => oauth.complete(each)));
  const users = done.map((each) => (each.status === 'signed_in' ? each.user.id : each.status));
  expect(new Set(users)).toHaveLength(1);
  const first = done[0];
  if (first?.status !== 'signed_in') throw new Error('half');
  const principal = await auth.authenticate(first.token);
  expect(await oauth.identities(principal as never)).toHaveLength(1);
});

test('an answer of another issuer is refused before its code goes anywhere (mix-up)', async ({
  db,
}) => {
  const { oauth, goThere } = openOAuth(db, [
    corp(issuer, trusting),
    corp(issuer, { ...trusting, id: 'other' }),
  ]);
  sits();
  const asked = () => issuer.requests.filter((path) => path === '/token').length;
  const before = asked();
  for (const iss of ['https://evil.example', `${issuer.issuer}/`, null]) {
    const returned = await goThere();
    if (iss === null) returned.currentUrl.searchParams.delete('iss');
    else returned.currentUrl.searchParams.set('iss', iss);
    expect(await codeOf(oauth.complete(returned))).toBe('auth.oauth_failed');
  }
  const elsewhere = { ...(await goThere()), provider: 'other' };
  expect(await codeOf(oauth.complete(elsewhere))).toBe('auth.oauth_failed');
  expect(asked()).toBe(before);
});

test.for([
  ['nonce', 'an ID token made for another sign-in'],
  ['code_challenge', 'a code that was asked for with another verifier'],
] as const)('%s: %s is refused', async ([parameter], { db }) => {
  const { oauth, provider } = openOAuth(db, [corp(issuer, trusting)]);
  sits();
  const [own, other] = [await oauth.begin({ provider }), await oauth.begin({ provider })];
  const url = new URL(own.url);
  const swapped = new URL(other.url).searchParams.get(parameter) as string;
  url.searchParams.set(parameter, swapped);
  const currentUrl = await visit(url.href);
  const { browserToken } = own;
  expect(await codeOf(oauth.complete({ provider, currentUrl, browserToken }))).toBe(
    'auth.oauth_failed',
  );
});

test('an ID token whose signature does not fit is refused', async ({ db }) => {
  const forging = async (url: string, init: RequestInit) => {
    const answer = await fetch(url, init);
    if (!url.endsWith('/token')) return answer;
    const body = (await answer.json()) as { id_token: string };
    const [header, claims, signature = ''] = body.id_token.split('.');
    const forged = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
    return Response.json({ ...body, id_token: `${header}.${claims}.${forged}` });
  };
  const { signIn } = openOAuth(db, [corp(issuer, trusting)], { fetch: forging });
  sits();
  expect(await codeOf(signIn())).toBe('auth.oauth_failed');
});

test('the redirect is what the settings say: another one is refused, and the host of the return counts for nothing', async ({
  db,
}) => {
  const { oauth, provider, goThere } = openOAuth(db, [corp(issuer, trusting)]);
  sits();
  const { url } = await oauth.begin({ provider });
  const changed = new URL(url);
  changed.searchParams.set('redirect_uri', 'http://localhost:3000/auth/oauth/corp/callback/x');
  await expect(visit(changed.href)).rejects.toThrow('stopped with 400');
  const returned = await goThere();
  const currentUrl = new URL(`https://evil.example/elsewhere${returned.currentUrl.search}`);
  expect(await oauth.complete({ ...returned, currentUrl })).toMatchObject({ status: 'signed_in' });
});

test('who says no at the issuer is not signed in, and the log holds no code', async ({ db }) => {
  const { oauth, goThere, logger } = openOAuth(db, [corp(issuer, trusting)]);
  issuer.person = null;
  const returned = await goThere();
  await expect(oauth.complete(returned)).rejects.toMatchObject({
    code: 'auth.oauth_failed',
    details: { reason: 'denied' },
  });
  sits();
  const tampered = await goThere();
  tampered.currentUrl.searchParams.set('code', 'made-up');
  expect(await codeOf(oauth.complete(tampered))).toBe('auth.oauth_failed');
  expect(logger.lines).toHaveLength(1);
  expect(JSON.stringify(logger.lines)).not.toContain('made-up');
});

test('an issuer that is down is no refusal', async ({ db }) => {
  const gone = await startIssuer();
  const { oauth, goThere, provider } = openOAuth(db, [corp(gone, trusting)]);
  gone.person = { sub: '1', email: someone(), email_verified: true };
  const returned = await goThere();
  await gone[Symbol.asyncDispose]();
  expect(await codeOf(oauth.complete(returned))).toBe('auth.provider_unavailable');
  const { oauth: fresh } = openOAuth(db, [corp(gone, trusting)]);
  expect(await codeOf(fresh.begin({ provider }))).toBe('auth.provider_unavailable');
});

test('the way back leads to a path of this site, whatever it looks like', async ({ db }) => {
  const { oauth, provider } = openOAuth(db, [corp(issuer)]);
  const foreign = [
    '//evil.example',
    '/\\evil.example',
    '/..//evil.example',
    '/.//evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    'projects',
    '',
    '/\t/evil.example',
    `/${'x'.repeat(1000)}`,
  ];
  for (const returnTo of foreign)
    expect(await codeOf(oauth.begin({ provider, returnTo }))).toBe('core.validation_failed');
});

test('neither verifier, nonce, state, code nor token of the browser or the provider is in any table', async ({
  db,
}) => {
  const seen: string[] = [];
  const listening = async (url: string, init: RequestInit) => {
    const answer = await fetch(url, init);
    if (!url.endsWith('/token')) return answer;
    const sent = new URLSearchParams(String(init.body));
    seen.push(...['code_verifier', 'code'].map((name) => sent.get(name) as string));
    const body = (await answer.json()) as Record<string, string>;
    seen.push(body['access_token'] as string, body['refresh_token'] as string);
    return Response.json(body);
  };
  const { oauth, provider, auth, signIn } = openOAuth(
    db,
    [corp(issuer, { ...trusting, storeTokens: true })],
    { fetch: listening },
  );
  sits();
  const done = await signIn();
  const waiting = await oauth.begin({ provider });
  const parameters = new URL(waiting.url).searchParams;
  const secrets = [
    ...seen,
    waiting.browserToken,
    parameters.get('state') as string,
    parameters.get('nonce') as string,
  ];
  expect(secrets).toHaveLength(7);
  const rows = await sql<{ line: string }>`
    select t::text as line from svc_auth.challenges t
    union all select t::text from svc_auth.identities t
    union all select t::text from svc_auth.sessions t`.execute(db);
  const dump = rows.rows.map(({ line }) => line).join('\n');
  expect(dump).toContain('"sealed"');
  const forms = secrets.flatMap((each) => [each, Buffer.from(each).toString('hex')]);
  expect(forms.filter((form) => dump.includes(form))).toEqual([]);

  if (done.status !== 'signed_in') throw new Error('half');
  const principal = await auth.authenticate(done.token);
  if (principal === null) throw new Error('not signed in');
  const [identity] = await oauth.identities(principal);
  expect(await oauth.tokens(principal, identity?.id as string)).toEqual({
    accessToken: seen[2],
    refreshToken: seen[3],
    expiresAt: expect.any(Date),
    scope: expect.stringContaining('openid'),
  });
});

test('plain OAuth 2: GitHub is known by its number and its verified primary address', async ({
  db,
}) => {
  const email = someone();
  await using server = await startGithub({ id: 583231, name: 'Octo' }, [
    { email: someone(), primary: false, verified: true },
    { email, primary: true, verified: true },
  ]);
  const options = { clientId, clientSecret, baseUrl: server.url, storeTokens: true };
  const { signIn, oauth, auth } = openOAuth(db, [github(options)]);
  const done = await signIn();
  expect(done).toMatchObject({ status: 'signed_in', user: { email, name: 'Octo' } });
  if (done.status !== 'signed_in') throw new Error('half');
  const principal = await auth.authenticate(done.token);
  if (principal === null) throw new Error('not signed in');
  expect(await oauth.identities(principal)).toMatchObject([
    { subject: '583231', issuer: `${server.url}/login/oauth` },
  ]);
});

test('a sign-in in a transaction that rolls back leaves nobody', async ({ db }) => {
  const { oauth, goThere } = openOAuth(db, [corp(issuer, trusting)]);
  const { email } = sits();
  const returned = await goThere();
  const attempt = transact(db, async (trx) => {
    await oauth.complete(returned, { within: trx });
    throw new Error('of mind');
  });
  await expect(attempt).rejects.toThrow('of mind');
  const { auth } = openAuth(db);
  expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
  const users = await db.selectFrom('svc_auth.users').where('email', '=', email).execute();
  expect(users).toEqual([]);
});
