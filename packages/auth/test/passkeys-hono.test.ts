import { recordingLogger } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { execFileSync } from 'node:child_process';
import { expect } from 'vitest';
import { authRoutes, passkeyRoutes } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { password } from './open-auth.ts';
import { openPasskeys } from './open-passkeys.ts';

const test = databaseTest([authMigrations]);
const ours = { 'sec-fetch-site': 'same-origin' };

function openApp(db: Db) {
  const opened = openPasskeys(db);
  const { auth, passkeys, clock } = opened;
  const app = new Hono<HttpEnv>();
  stack(app, { logger: recordingLogger(), clock, typeBase: 'https://app.example.com/errors' });
  app.route('/auth', authRoutes(auth)).route('/auth', passkeyRoutes(auth, passkeys));
  const send = (method: string, path: string, json: unknown, headers: Record<string, string>) =>
    app.request(`/auth${path}`, {
      method,
      ...(json !== undefined && { body: JSON.stringify(json) }),
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
    });
  const post = (path: string, json?: unknown, headers: Record<string, string> = {}) =>
    send('POST', path, json, headers);
  const cookieOf = (answer: Response) =>
    ((answer.headers.get('set-cookie') ?? '').split(';')[0] as string) || undefined;
  return { ...opened, app, send, post, cookieOf };
}

/** The parts of bodies that these tests look at. */
interface Body {
  challenge: string;
  options: { challenge: string; user: { id: string }; allowCredentials: { id: string }[] };
  passkey: { id: string; name: string };
  items: { id: string }[];
  recoveryCodes: string[] | null;
  session: { level: number };
  user: { mfaEnabled: boolean };
  token?: string;
  status: string;
  code: string;
}
const bodyOf = async (answer: Response) => (await answer.json()) as Body;

test('add, list, sign in with, step up with and remove a passkey over HTTP', async ({ db }) => {
  const { post, send, member, device, cookieOf, clock } = openApp(db);
  const email = await member();
  const authenticator = device();
  const login = await post('/login', { email, password });
  const first = { cookie: cookieOf(login) as string, ...ours };

  const creation = await bodyOf(await post('/mfa/passkeys/options', undefined, first));
  const response = authenticator.create(creation.options);
  const { challenge } = creation;
  const added = await post('/mfa/passkeys', { challenge, response, name: 'Phone' }, first);
  const { passkey, recoveryCodes, session, user, token } = await bodyOf(added);
  expect([added.status, passkey.name, session.level, user.mfaEnabled, token]).toEqual([
    200,
    'Phone',
    2,
    true,
    undefined,
  ]);
  expect(recoveryCodes).toHaveLength(10);
  expect(added.headers.get('cache-control')).toBe('no-store');
  const cookie = cookieOf(added) as string;
  expect((await send('GET', '/mfa/passkeys', undefined, first)).status).toBe(401);

  const offer = await bodyOf(await post('/passkeys/login/options'));
  const answer = { challenge: offer.challenge, response: authenticator.get(offer.options) };
  const signedIn = await post('/passkeys/login', { ...answer, transport: 'bearer' });
  const bearer = (await bodyOf(signedIn)).token as string;
  expect([signedIn.status, signedIn.headers.get('set-cookie')]).toEqual([200, null]);
  const again = await post('/passkeys/login', answer);
  expect([again.status, (await bodyOf(again)).code]).toEqual([401, 'auth.invalid_challenge']);

  await clock.advance('11m');
  const authorization = `Bearer ${bearer}`;
  const path = `/mfa/passkeys/${passkey.id}`;
  const stale = await send('DELETE', path, undefined, { authorization });
  expect([stale.status, stale.headers.get('www-authenticate')]).toEqual([
    401,
    expect.stringContaining('insufficient_user_authentication'),
  ]);
  const stepUp = await bodyOf(await post('/step-up/passkey/options', undefined, { authorization }));
  const shown = { challenge: stepUp.challenge, response: authenticator.get(stepUp.options) };
  const raised = await bodyOf(await post('/step-up/passkey', shown, { authorization }));
  const fresh = { authorization: `Bearer ${raised.token}` };
  const listed = await bodyOf(await send('GET', '/mfa/passkeys', undefined, fresh));
  expect(listed.items.map(({ id }) => id)).toEqual([passkey.id]);
  // The other session is as it was.
  expect((await send('DELETE', path, undefined, { cookie, ...ours })).status).toBe(401);
  expect((await send('DELETE', path, undefined, fresh)).status).toBe(204);
  expect((await send('DELETE', path, undefined, fresh)).status).toBe(404);
});

test('a passkey is shown as the second factor over HTTP', async ({ db }) => {
  const { post, owner, cookieOf, app } = openApp(db);
  const { email, authenticator } = await owner();
  const login = await post('/login', { email, password });
  const { challenge, status } = await bodyOf(login);
  expect([login.status, status]).toEqual([202, 'second_factor_required']);
  expect(cookieOf(login)).toBeUndefined();
  const offer = await bodyOf(await post('/mfa/challenge/passkey/options', { challenge }));
  expect(offer.options.allowCredentials).toHaveLength(1);
  const answer = { challenge, response: authenticator.get(offer.options), trustDevice: true };
  const signedIn = await post('/mfa/challenge/passkey', answer);
  expect(signedIn.status).toBe(200);
  const cookies = signedIn.headers.getSetCookie().map((cookie) => cookie.split(';')[0] as string);
  const device = { cookie: cookies.find((cookie) => cookie.startsWith('__Host-device')) as string };
  expect((await post('/login', { email, password }, { ...device, ...ours })).status).toBe(200);
  const me = await app.request('/auth/me', { headers: { cookie: cookieOf(signedIn) as string } });
  expect((await bodyOf(me)).session.level).toBe(2);
});

test('options of signing in have one shape for everybody, signed in or not, whatever they send', async ({
  db,
}) => {
  const { post, owner, member } = openApp(db);
  const { token, email } = await owner();
  const stranger = await member();
  const answers = await Promise.all([
    post('/passkeys/login/options'),
    post('/passkeys/login/options', { email }),
    post('/passkeys/login/options', { email: stranger }),
    post('/passkeys/login/options', { email: 'nobody@example.com' }),
    post('/passkeys/login/options', undefined, { authorization: `Bearer ${token}` }),
  ]);
  const shapes = await Promise.all(
    answers.map(async (answer) => {
      const { challenge, options } = await bodyOf(answer);
      const headers = [...answer.headers.keys()];
      const lengths = [challenge.length, options.challenge.length];
      return JSON.stringify([answer.status, headers, lengths, { ...options, challenge: '' }]);
    }),
  );
  expect(new Set(shapes)).toHaveLength(1);
  expect(JSON.parse(shapes[0] as string)[3].allowCredentials).toEqual([]);
});

test('a foreign page can neither sign its visitor in nor use their session', async ({ db }) => {
  const { post, owner } = openApp(db);
  const { token, authenticator } = await owner();
  const offer = await bodyOf(await post('/passkeys/login/options'));
  const answer = { challenge: offer.challenge, response: authenticator.get(offer.options) };
  const foreign = { 'sec-fetch-site': 'cross-site' };
  expect((await post('/passkeys/login', answer, foreign)).status).toBe(403);
  expect((await post('/mfa/challenge/passkey', answer, foreign)).status).toBe(403);
  const visitor = { cookie: `__Host-sid=${token}`, ...foreign };
  for (const path of ['/mfa/passkeys/options', '/step-up/passkey/options'])
    expect((await post(path, undefined, visitor)).status).toBe(403);
});

test('what no authenticator would send is refused without being quoted', async ({ db }) => {
  const { post } = openApp(db);
  const { challenge } = await bodyOf(await post('/passkeys/login/options'));
  const marker = 'quoted-nowhere';
  const bytes = { clientDataJSON: 'AA', authenticatorData: 'AA', signature: 'AA' };
  const good = { id: 'AA', rawId: 'AA', type: 'public-key', response: bytes };
  for (const response of [
    { ...good, type: marker },
    { ...good, id: `${marker}+` },
    { ...good, response: { ...bytes, signature: marker.repeat(200) } },
    marker,
  ]) {
    const refused = await post('/passkeys/login', { challenge, response });
    expect(refused.status).toBe(400);
    expect(await refused.text()).not.toContain(marker);
  }
  // None of them used the challenge up.
  const refused = await post('/passkeys/login', { challenge, response: good });
  expect([refused.status, (await bodyOf(refused)).code]).toEqual([401, 'auth.invalid_credentials']);
});

test('the routes do not load the library of passkeys', () => {
  const program = `
    import { registerHooks } from 'node:module';
    registerHooks({ resolve(specifier, context, next) {
      if (specifier.startsWith('@simplewebauthn')) throw new Error('loaded');
      return next(specifier, context);
    } });
    await import('@svc/auth/hono');
    await import('@svc/auth');
    await import('@svc/auth/testing');
    const loaded = await import('@svc/auth/passkeys').then(() => 'no', (error) => error.message);
    console.log(loaded);
  `;
  const options = ['--conditions=@svc/source', '--input-type=module', '--eval', program];
  const cwd = new URL('..', import.meta.url);
  expect(execFileSync(process.execPath, options, { cwd, encoding: 'utf8' }).trim()).toBe('loaded');
});
