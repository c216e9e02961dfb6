import { databaseTest } from '@svc/db/testing';
import type { Db } from '@svc/db';
import { stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import {
  type AuthEnv,
  requireAbac,
  requirePermission,
  requireRole,
  requireUser,
} from '../src/hono.ts';
import { actorOf, type AuthAuditEvent } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { openAuth } from './open-auth.ts';

const test = databaseTest([authMigrations]);

function openGuarded(db: Db) {
  const audited: AuthAuditEvent[] = [];
  const opened = openAuth(db, {
    mfa: { requiredFor: ['admin'] },
    audit: async (event) => void audited.push(event),
  });
  const { auth } = opened;
  const app = new Hono<AuthEnv>();
  stack(app, { typeBase: 'https://app.example.com/errors' });
  const any = requireUser(auth, { accept: 'any' });
  app
    .get('/read/:id', any, requirePermission(auth, 'user.read'), (c) => c.text('read'))
    .get('/support', any, requireRole(auth, 'support'), (c) => c.text('support'))
    .get('/admin', any, requireRole(auth, 'admin'), (c) => c.text('admin'))
    .get('/write', any, requirePermission(auth, 'user.write'), (c) => c.text('write'))
    .get(
      '/adas',
      any,
      requireAbac(auth, 'is_ada', async ({ user }) => user.name === 'Ada'),
      (c) => c.text('abac'),
    )
    .get('/fresh', requireUser(auth, { maxAge: '5m' }), (c) => c.text('fresh'))
    .get('/second', requireUser(auth, { level: 2, maxAge: '5m' }), (c) => c.text('second'));
  const get = (path: string, token: string) =>
    app.request(path, { headers: { authorization: `Bearer ${token}` } });
  const setRoles = (id: string, roles: string[]) =>
    db.updateTable('svc_auth.users').set({ roles }).where('id', '=', id).execute();
  return { ...opened, audited, get, setRoles };
}

test('a permission lets pass who holds it; a denial is audited by route, never by what was asked', async ({
  db,
}) => {
  const { session, get, setRoles, audited } = openGuarded(db);
  const { token, user } = await session();
  const denied = await get('/read/4711', token);
  expect([denied.status, await denied.json()]).toMatchObject([403, { code: 'auth.access_denied' }]);
  expect(audited.at(-1)).toMatchObject({
    type: 'auth.access.denied',
    outcome: 'denied',
    actor: { type: 'user', id: user.id },
    details: { permission: 'user.read', route: '/read/:id', method: 'GET' },
  });
  await setRoles(user.id, ['support']);
  expect((await get('/read/4711', token)).status).toBe(200);
});

test('a role that waits for a second factor is answered with a challenge, another with a denial', async ({
  db,
}) => {
  const { session, get, setRoles } = openGuarded(db);
  const { token, user } = await session();
  expect((await get('/admin', token)).status).toBe(403);
  await setRoles(user.id, ['admin']);
  for (const path of ['/admin', '/write']) {
    const answer = await get(path, token);
    expect(answer.headers.get('www-authenticate')).toMatch(/insufficient_user_authentication.*"2"/);
    expect(answer.status).toBe(401);
  }
  await db.updateTable('svc_auth.sessions').set({ level: 2 }).execute();
  for (const path of ['/admin', '/write']) expect((await get(path, token)).status).toBe(200);
});

test('an API key has no role, whatever its owner has', async ({ db }) => {
  const { auth, session, get, setRoles } = openGuarded(db);
  const { email, token, user } = await session();
  await setRoles(user.id, ['support']);
  expect((await get('/support', token)).status).toBe(200);
  const principal = (await session(email)).principal;
  const { key } = await auth.apiKeys.create(principal, { name: 'x', scopes: ['user.read'] });
  expect((await get('/read/1', key)).status).toBe(200);
  expect((await get('/support', key)).status).toBe(403);
});

test('what a key is denied is its act, and not that of its owner, who is named beside it', async ({
  db,
}) => {
  const { auth, session, get, setRoles, audited } = openGuarded(db);
  const { email, user } = await session();
  await setRoles(user.id, ['support']);
  const { principal } = await session(email);
  const made = await auth.apiKeys.create(principal, { name: 'x', scopes: ['user.read'] });
  expect((await get('/write', made.key)).status).toBe(403);
  expect(audited.at(-1)).toMatchObject({
    type: 'auth.access.denied',
    details: { permission: 'user.write', userId: user.id },
  });
  expect(audited.at(-1)?.actor).toEqual({ type: 'api_key', id: made.apiKey.id });
});

test('what a key does to others is its act, and not that of its owner', async ({ db }) => {
  const { auth, session, setRoles, audited } = openGuarded(db);
  const { email, user } = await session();
  await setRoles(user.id, ['support']);
  const { principal } = await session(email);
  const made = await auth.apiKeys.create(principal, { name: 'x', scopes: ['user.read'] });
  const keyed = await auth.authenticate(made.key);
  if (keyed === null) throw new Error('the key does not work');
  const other = await session();
  await auth.users.disable(other.user.id, actorOf(keyed));
  await auth.users.enable(other.user.id, actorOf(principal));
  const [disabled, enabled] = audited.slice(-2);
  expect(disabled?.actor).toEqual({ type: 'api_key', id: made.apiKey.id });
  expect(disabled?.details).toEqual({ sessionsEnded: 1, userId: user.id });
  expect(enabled?.actor).toEqual({ type: 'user', id: user.id });
  expect(enabled?.details).toEqual({});
});

test('a predicate decides about the principal', async ({ db }) => {
  const { session, get } = openGuarded(db);
  const { token } = await session();
  expect((await get('/adas', token)).status).toBe(200);
  await db.updateTable('svc_auth.users').set({ name: 'Eve' }).execute();
  expect((await get('/adas', token)).status).toBe(403);
});

test('an age or a level that the session lacks is answered as RFC 9470 says', async ({ db }) => {
  const { session, get, clock } = openGuarded(db);
  const { token } = await session();
  expect((await get('/fresh', token)).status).toBe(200);
  await clock.advance('5m');
  expect((await get('/fresh', token)).status).toBe(200);
  await clock.advance('1s');
  const stale = await get('/fresh', token);
  expect([stale.status, stale.headers.get('www-authenticate')]).toEqual([
    401,
    'Bearer error="insufficient_user_authentication", error_description="Confirm that it is you to do this.", max_age="300"',
  ]);
  const weak = await get('/second', token);
  expect(weak.headers.get('www-authenticate')).toContain('acr_values="2", max_age="300"');
});

test('a guard for a name that does not exist is refused at start-up', async ({ db }) => {
  const { auth } = openAuth(db);
  expect(() => requirePermission(auth, 'user.fly' as 'user.read')).toThrow(TypeError);
  expect(() => requireRole(auth, 'emperor' as 'admin')).toThrow(TypeError);
  expect(() => openAuth(db, { mfa: { requiredFor: ['emperor'] } })).toThrow(/'emperor'/);
});
