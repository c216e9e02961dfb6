import { systemClock } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { authRoutes, oauthRoutes, passkeyRoutes, requireUser } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth } from '../src/oauth.ts';
import { createPasskeys } from '../src/passkeys.ts';
import { password, someone } from './open-auth.ts';
import { openTenants } from './open-tenants.ts';

const test = databaseTest([authMigrations]);

/** An app whose hosts stand for tenants. */
function openApp(db: Db) {
  const opened = openTenants(db, { clock: systemClock });
  const { auth, a, b } = opened;
  const tenants = new Map([
    ['a.example.com', a],
    ['b.example.com', b],
  ]);
  const pages = {
    tenantOf: async (c: { req: { url: string } }) => tenants.get(new URL(c.req.url).host) ?? null,
  };
  const app = new Hono<HttpEnv>();
  const logger = recordingLogger();
  stack(app, { logger, clock: systemClock, typeBase: 'https://app.example.com/errors' });
  app.route('/auth', authRoutes(auth, pages));
  app.route('/auth', passkeyRoutes(auth, createPasskeys({ auth }), pages));
  app.get('/work', requireUser(auth, pages), (c) => c.json(c.get('principal').tenantId));
  const post = (host: string, path: string, json: unknown) =>
    app.request(`https://${host}/auth${path}`, {
      method: 'POST',
      body: JSON.stringify(json),
      headers: { 'content-type': 'application/json' },
    });
  return { ...opened, app, post };
}

test('the host of a request says in which tenant somebody registers, signs in and works', async ({
  db,
}) => {
  const { app, post, outbox, a } = openApp(db);
  const email = someone();
  expect((await post('a.example.com', '/register', { email, password })).status).toBe(202);
  const token = await outbox.nextToken('verify', email);
  expect((await post('b.example.com', '/verify', { token })).status).toBe(400);
  expect((await post('a.example.com', '/verify', { token })).status).toBe(200);
  const credentials = { email, password, transport: 'bearer' };
  expect((await post('b.example.com', '/login', credentials)).status).toBe(401);
  const login = await post('a.example.com', '/login', credentials);
  const body = (await login.json()) as { token: string };
  const headers = { authorization: `Bearer ${body.token}` };
  for (const [path, there] of [
    ['/auth/me', 200],
    ['/work', 200],
  ] as const) {
    expect((await app.request(`https://a.example.com${path}`, { headers })).status).toBe(there);
    expect((await app.request(`https://b.example.com${path}`, { headers })).status).toBe(401);
    expect((await app.request(`https://c.example.com${path}`, { headers })).status).toBe(400);
  }
  expect(await (await app.request('https://a.example.com/work', { headers })).json()).toBe(a);
  for (const [path, json] of [
    ['/login', credentials],
    ['/register', { email, password }],
    ['/password/forgot', { email }],
    ['/passkeys/login/options', {}],
  ] as const) {
    const answer = await post('c.example.com', path, json);
    const { code } = (await answer.json()) as { code: string };
    expect([path, answer.status, code]).toEqual([path, 400, 'auth.tenant_required']);
  }
});

test('no route is made that could not tell the tenant', async ({ db }) => {
  const { auth } = openTenants(db);
  const oauth = createOAuth({ auth, providers: [] });
  for (const make of [
    () => authRoutes(auth),
    () => passkeyRoutes(auth, createPasskeys({ auth })),
    () => oauthRoutes(auth, oauth),
    () => requireUser(auth),
  ])
    expect(make).toThrow(TypeError);
});
