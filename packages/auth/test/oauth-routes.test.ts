import { systemClock } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect } from 'vitest';
import { authRoutes, oauthRoutes } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth } from '../src/oauth.ts';
import { openAuth, password, someone } from './open-auth.ts';
import { type Issuer, publicUrl, startIssuer, visit } from './oauth-servers.ts';
import { corp } from './open-oauth.ts';

const test = databaseTest([authMigrations]);
const ours = { 'sec-fetch-site': 'same-origin' };
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

let subjects = 0;
const sits = (email = someone()) => {
  subjects += 1;
  issuer.person = { sub: `subject-${subjects}`, email, email_verified: true };
  return email;
};

function openApp(db: Db) {
  const opened = openAuth(db, { publicUrl });
  const providers = [corp(issuer, { name: 'Corp', trustedDomains: ['example.com'] })];
  const oauth = createOAuth({ auth: opened.auth, providers });
  const app = new Hono<HttpEnv>();
  stack(app, { logger: recordingLogger(), clock: systemClock, typeBase: `${publicUrl}/errors` });
  app.route('/auth', authRoutes(opened.auth)).route('/auth', oauthRoutes(opened.auth, oauth));
  /** A browser: it keeps cookies, and sends them to the app. */
  const browser = () => {
    const jar = new Map<string, string>();
    const request = async (path: string, init: RequestInit = {}) => {
      const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
      const answer = await app.request(path, { ...init, headers: { cookie, ...init.headers } });
      for (const line of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (value === '') jar.delete(name);
        else jar.set(name, value);
      }
      return answer;
    };
    const post = (path: string, json: unknown, headers: Record<string, string> = ours) =>
      request(path, {
        method: 'POST',
        body: JSON.stringify(json),
        headers: { 'content-type': 'application/json', ...headers },
      });
    const goThere = async (path = '/auth/oauth/corp/start', body: unknown = {}) => {
      const answer = await post(path, body);
      const { url } = (await answer.json()) as { url: string };
      const { pathname, search } = await visit(url);
      return `${pathname}${search}`;
    };
    return { jar, request, post, goThere };
  };
  return { ...opened, app, browser };
}

test('a browser signs in at a provider and goes on to where it wanted', async ({ db }) => {
  const { browser } = openApp(db);
  const email = sits();
  const { request, post, jar } = browser();
  const listed = await request('/auth/oauth/providers');
  expect(await listed.json()).toEqual({ items: [{ id: 'corp', name: 'Corp' }] });
  const started = await post('/auth/oauth/corp/start', { returnTo: '/projects?tab=1' });
  expect(started.headers.get('set-cookie')).toMatch(
    /^__Host-oauth=[\w-]{43}; Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  );
  const { url } = (await started.json()) as { url: string };
  const { pathname, search } = await visit(url);
  expect(pathname).toBe('/auth/oauth/corp/callback');
  const back = await request(`${pathname}${search}`);
  expect([back.status, back.headers.get('location'), back.headers.get('cache-control')]).toEqual([
    302,
    `${publicUrl}/projects?tab=1`,
    'no-store',
  ]);
  expect([...jar.keys()].toSorted()).toEqual(['__Host-device', '__Host-sid']);
  const me = (await (await request('/auth/me')).json()) as { user: { email: string } };
  expect(me.user.email).toBe(email);
});

test('a browser that signs in at a provider again and again stays one device', async ({ db }) => {
  const { browser } = openApp(db);
  sits();
  const { request, goThere } = browser();
  for (let time = 0; time < 3; time += 1) expect((await request(await goThere())).status).toBe(302);
  const { items } = (await (await request('/auth/devices')).json()) as { items: unknown[] };
  expect(items).toHaveLength(1);
});

test('a link starts it, too, but not from a page of another site', async ({ db }) => {
  const { browser } = openApp(db);
  sits();
  const { request, post } = browser();
  const there = await request('/auth/oauth/corp/start?returnTo=/x', {
    headers: { 'sec-fetch-site': 'none' },
  });
  expect(there.status).toBe(302);
  const { pathname, search } = await visit(there.headers.get('location') as string);
  const back = await request(`${pathname}${search}`);
  expect(back.headers.get('location')).toBe(`${publicUrl}/x`);
  const foreign = { 'sec-fetch-site': 'cross-site' };
  expect((await request('/auth/oauth/corp/start', { headers: foreign })).status).toBe(403);
  expect((await post('/auth/oauth/corp/start', {}, foreign)).status).toBe(403);
  expect((await post('/auth/oauth/nobody/start', {})).status).toBe(404);
  expect((await post('/auth/oauth/corp/start', { returnTo: '//evil.example' })).status).toBe(400);
});

test('the browser of somebody else is not signed in: a page for people, a problem for programs', async ({
  db,
}) => {
  const { browser } = openApp(db);
  sits();
  const path = await browser().goThere();
  const victim = browser();
  await victim.post('/auth/oauth/corp/start', {});
  const page = await victim.request(path, { headers: { accept: 'text/html,*/*' } });
  expect([page.status, page.headers.get('content-type')]).toEqual([
    400,
    expect.stringContaining('text/html'),
  ]);
  expect(page.headers.get('set-cookie')).not.toContain('__Host-sid');
  const problem = await victim.request(path);
  expect([problem.status, await problem.json()]).toEqual([
    401,
    expect.objectContaining({ code: 'auth.oauth_failed' }),
  ]);
});

test('a posted answer goes on by GET, with what belongs to it and nothing else', async ({ db }) => {
  const { browser } = openApp(db);
  sits();
  const { request, goThere } = browser();
  const path = await goThere();
  const [pathname = '', query = ''] = path.split('?');
  const body = new URLSearchParams(query);
  body.set('user', '{"name":"somebody"}');
  const posted = await request(pathname, {
    method: 'POST',
    body,
    headers: { 'sec-fetch-site': 'cross-site', cookie: '' },
  });
  const location = posted.headers.get('location') as string;
  expect([posted.status, location.startsWith('?'), location.includes('user')]).toEqual([
    303,
    true,
    false,
  ]);
  expect((await request(`${pathname}${location}`)).status).toBe(302);
});

test('the second factor is asked for on a page of the app, which gets the challenge without an address that holds it', async ({
  db,
}) => {
  const { browser, member } = openApp(db);
  const email = sits(await member());
  const { id } = await db
    .selectFrom('svc_auth.users')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow();
  const at = new Date(0);
  await db
    .insertInto('svc_auth.totp_factors')
    .values({ id, user_id: id, secret_sealed: 'sealed', created_at: at, confirmed_at: at })
    .execute();
  const { request, goThere, jar } = browser();
  expect((await request('/auth/oauth/challenge')).status).toBe(401);
  const back = await request(await goThere('/auth/oauth/corp/start', { returnTo: '/x' }));
  expect(back.headers.get('location')).toBe(`${publicUrl}/second-factor?returnTo=%2Fx`);
  expect(jar.has('__Host-sid')).toBe(false);
  const challenge = (await (await request('/auth/oauth/challenge')).json()) as object;
  expect(challenge).toMatchObject({ status: 'second_factor_required', methods: ['totp'] });
  expect(challenge).toMatchObject({ challenge: jar.get('__Host-challenge') });
});

test('linking and unlinking need a proof of the last 10 minutes, and a page of ours', async ({
  db,
}) => {
  const { browser, member, clock } = openApp(db);
  const email = await member();
  sits();
  const { request, post, goThere } = browser();
  expect((await post('/auth/oauth/corp/link', {})).status).toBe(401);
  await post('/auth/login', { email, password });
  const foreign = { 'sec-fetch-site': 'cross-site' };
  expect((await post('/auth/oauth/corp/link', {}, foreign)).status).toBe(403);
  const back = await request(await goThere('/auth/oauth/corp/link', { returnTo: '/settings' }));
  expect(back.headers.get('location')).toBe(`${publicUrl}/settings`);
  const listed = (await (await request('/auth/identities')).json()) as {
    items: { id: string; provider: string }[];
  };
  expect(listed.items).toMatchObject([{ provider: 'corp', lastUsedAt: expect.any(String) }]);
  const path = `/auth/identities/${listed.items[0]?.id}`;
  await clock.advance('11m');
  for (const late of [
    await post('/auth/oauth/corp/link', {}),
    await request(path, { method: 'DELETE', headers: ours }),
  ]) {
    expect(late.status).toBe(401);
    expect(await late.json()).toMatchObject({
      code: 'auth.insufficient_user_authentication',
      maxAgeSeconds: 600,
    });
  }
  await post('/auth/login', { email, password });
  expect((await request(path, { method: 'DELETE', headers: foreign })).status).toBe(403);
  expect((await request(path, { method: 'DELETE', headers: ours })).status).toBe(204);
  expect((await request(path, { method: 'DELETE', headers: ours })).status).toBe(404);
  const noId = await request('/auth/identities/no-id', { method: 'DELETE', headers: ours });
  expect(noId.status).toBe(400);
});
