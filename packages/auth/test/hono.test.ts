import { sha256 } from '@svc/core';
import { systemClock } from '@svc/core';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { recordingLogger } from '@svc/core/testing';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { authRoutes } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { newPassword, openAuth, password, someone } from './open-auth.ts';

const test = databaseTest([authMigrations]);
const ours = { 'sec-fetch-site': 'same-origin' };

function openApp(db: Db) {
  const opened = openAuth(db, { clock: systemClock });
  const app = new Hono<HttpEnv>();
  stack(app, {
    logger: recordingLogger(),
    clock: systemClock,
    typeBase: 'https://app.example.com/errors',
  });
  app.route('/auth', authRoutes(opened.auth));
  const post = (path: string, json: unknown, headers: Record<string, string> = {}) =>
    app.request(path, {
      method: 'POST',
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json', ...headers },
    });
  const form = (path: string, fields: Record<string, string>) =>
    app.request(path, { method: 'POST', body: new URLSearchParams(fields) });
  const signIn = async (email: string) => {
    const answer = await post('/auth/login', { email, password });
    return (answer.headers.get('set-cookie') as string).split(';')[0] as string;
  };
  return { ...opened, app, post, form, signIn };
}

test('register, verify, login, me, logout over HTTP', async ({ db }) => {
  const { post, app, outbox } = openApp(db);
  const email = someone();
  const registered = await post('/auth/register', { email, password });
  expect([registered.status, await registered.json()]).toEqual([
    202,
    { status: 'pending_verification' },
  ]);
  const token = await outbox.nextToken('verify', email);
  expect((await post('/auth/verify', { token })).status).toBe(200);
  expect((await post('/auth/verify', { token })).status).toBe(400);
  const login = await post('/auth/login', { email, password });
  expect(await login.json()).toEqual({
    status: 'signed_in',
    user: expect.objectContaining({ email }),
    session: expect.objectContaining({ expiresAt: expect.any(String) }),
  });
  const [setCookie = '', deviceCookie] = login.headers.getSetCookie();
  expect(deviceCookie).toMatch(
    /^__Host-device=[\w-]{43}; Max-Age=34560000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  expect(setCookie).toMatch(
    /^__Host-sid=[\w-]{43}; Max-Age=7776000; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  const cookie = setCookie.split(';')[0] as string;
  const me = await app.request('/auth/me', { headers: { cookie } });
  expect([me.status, me.headers.get('cache-control')]).toEqual([200, 'no-store']);
  const out = await post('/auth/logout', {}, { cookie, ...ours });
  expect([out.status, out.headers.get('set-cookie')]).toEqual([
    204,
    expect.stringMatching(/^__Host-sid=; Max-Age=0; Path=\/;/),
  ]);
  expect((await app.request('/auth/me', { headers: { cookie } })).status).toBe(401);
});

test('who is not signed in is told how to be', async ({ db }) => {
  const { app } = openApp(db);
  const answer = await app.request('/auth/me');
  expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  expect(await answer.json()).toMatchObject({ code: 'auth.unauthenticated' });
});

test('a bearer token is given only to who asks for it, without a cookie', async ({ db }) => {
  const { post, app, member } = openApp(db);
  const login = await post('/auth/login', { email: await member(), password, transport: 'bearer' });
  const { token } = (await login.json()) as { token: string };
  expect(login.headers.get('set-cookie')).toBeNull();
  const headers = { authorization: `Bearer ${token}` };
  expect((await app.request('/auth/me', { headers })).status).toBe(200);
  expect((await post('/auth/logout', {}, headers)).status).toBe(204);
  expect((await app.request('/auth/me', { headers })).status).toBe(401);
});

test('a login with a session cookie ends that session', async ({ db }) => {
  const { app, post, member, signIn } = openApp(db);
  const email = await member();
  const cookie = await signIn(email);
  await post('/auth/login', { email, password }, { cookie, ...ours });
  expect((await app.request('/auth/me', { headers: { cookie } })).status).toBe(401);
});

test('a foreign page can neither sign its visitor in nor out', async ({ db }) => {
  const { app, post, member, signIn } = openApp(db);
  const email = await member();
  const cookie = await signIn(email);
  for (const foreign of [
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
    { origin: 'https://evil.example' },
    { origin: 'null' },
  ]) {
    expect((await post('/auth/login', { email, password }, foreign)).status).toBe(403);
    expect((await post('/auth/logout', {}, { cookie, ...foreign })).status).toBe(403);
  }
  expect((await app.request('/auth/me', { headers: { cookie } })).status).toBe(200);
  expect(
    (await post('/auth/login', { email, password }, { origin: 'https://app.example.com' })).status,
  ).toBe(200);
});

test('following a link uses nothing up, and its page works without scripts and tells no one', async ({
  db,
}) => {
  const { app, form, outbox, auth } = openApp(db);
  const email = someone();
  await auth.register({ email, password });
  const token = await outbox.nextToken('verify', email);
  for (let visit = 0; visit < 3; visit += 1) {
    const page = await app.request(`/auth/verify?token=${token}`);
    expect(page.status).toBe(200);
    expect(page.headers.get('referrer-policy')).toBe('no-referrer');
    expect(page.headers.get('cache-control')).toBe('no-store');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    const style = /<style>([\s\S]*?)<\/style>/.exec(await page.clone().text())?.[1] ?? '';
    expect(policy).toContain(`'sha256-${Buffer.from(sha256(style)).toString('base64')}'`);
    expect(await page.text()).toMatch(/<form method="post"[^]*<button/);
  }
  const done = await form('/auth/verify', { token });
  expect([done.status, done.headers.get('content-type')]).toEqual([
    200,
    expect.stringContaining('text/html'),
  ]);
  expect((await form('/auth/verify', { token })).status).toBe(400);
  await auth.login({ email, password });
});

test('the page of a reset asks again after a password that is refused', async ({ db }) => {
  const { form, outbox, auth, member } = openApp(db);
  const email = await member();
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  const again = await form('/auth/password/reset', { token, password: 'short' });
  expect(again.status).toBe(400);
  const text = await again.text();
  expect(text).toContain(`value="${token}"`);
  expect(text).not.toContain('"short"');
  expect((await form('/auth/password/reset', { token, password: newPassword })).status).toBe(200);
  await auth.login({ email, password: newPassword });
});

test('what stands in the query cannot become markup', async ({ db }) => {
  const { app } = openApp(db);
  const attack = '"><script>alert(1)</script>';
  for (const path of ['/auth/verify', '/auth/password/reset']) {
    expect(
      await (await app.request(`${path}?token=${encodeURIComponent(attack)}`)).text(),
    ).not.toContain('<script');
  }
});

test('links do not follow the Host header', async ({ db }) => {
  const { post, outbox } = openApp(db);
  const email = someone();
  await post(
    '/auth/register',
    { email, password },
    { host: 'evil.example', 'x-forwarded-host': 'evil.example' },
  );
  expect((await outbox.next('verify', email)).data.link).toMatch(
    /^https:\/\/app\.example\.com\/auth\/verify\?token=/,
  );
});

test('known and unknown addresses get the same status, body and headers', async ({ db }) => {
  const { post, member } = openApp(db);
  const known = await member();
  const seen = async (answer: Response) => ({
    status: answer.status,
    headers: [...answer.headers].filter(([name]) => name !== 'x-request-id' && name !== 'date'),
    body: (await answer.text()).replaceAll(answer.headers.get('x-request-id') ?? 'none', 'ID'),
  });
  for (const [path, rest] of [
    ['/auth/register', { password: newPassword }],
    ['/auth/login', { password: newPassword }],
    ['/auth/password/forgot', {}],
    ['/auth/verify/resend', {}],
  ] as const) {
    expect(await seen(await post(path, { email: known, ...rest }))).toEqual(
      await seen(await post(path, { email: someone(), ...rest })),
    );
  }
});

test.each([
  ['a 1500-character password', { email: 'a@example.com', password: 'x'.repeat(1500) }],
  ['a 300-character address', { email: `${'x'.repeat(300)}@example.com`, password }],
  ['an address with CRLF', { email: 'a@example.com\r\nBcc: b@example.com', password }],
  ['a NUL in the password', { email: 'a@example.com', password: `${password}\0` }],
  ['a list of addresses', { email: ['a@example.com'], password }],
  ['an unknown field', { email: 'a@example.com', password, admin: true }],
  ['nothing', null],
])('%s is a 400 that echoes nothing', async (_, body) => {
  const app = new Hono<HttpEnv>();
  stack(app, {
    logger: recordingLogger(),
    clock: systemClock,
    typeBase: 'https://app.example.com/errors',
  });
  const { auth: service } = openAuth({} as Db);
  app.route('/auth', authRoutes(service));
  const answer = await app.request('/auth/register', {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(400);
  const text = await answer.text();
  expect(text).not.toContain('x'.repeat(20));
  expect(text).not.toContain(password);
});
