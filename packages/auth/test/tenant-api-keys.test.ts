import { systemClock, uuidv7 } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { type HttpEnv, stack, undocumentedRoutes } from '@svc/http/hono';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { expect } from 'vitest';
import { authRoutes, tenantApiKeyRoutes } from '../src/hono.ts';
import { type AuthAuditEvent, createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, openAuth, someone, tally } from './open-auth.ts';
import { openTenants } from './open-tenants.ts';

const authorization = createAuthorization({
  permissions: ['project.read'],
  roles: { user: ['project.read'] },
});
const scopes = ['project.read'];

/** Global identities, and an app that knows who is a member of what. */
function openMembers(db: Db) {
  const members = new Set<string>();
  const audited: AuthAuditEvent[] = [];
  const opened = openAuth(db, {
    authorization,
    audit: async (event) => void audited.push(event),
    apiKeys: { isMember: async (userId, tenantId) => members.has(`${userId} ${tenantId}`) },
  });
  const [a, b] = [uuidv7(), uuidv7()] as const;
  return {
    ...opened,
    audited,
    a,
    b,
    join: (userId: string, tenantId: string) => members.add(`${userId} ${tenantId}`),
  };
}

describeDatabases('API keys of tenants', [authMigrations], (test) => {
  test('a key is made for a tenant by its members, stays with it, and says so', async ({ db }) => {
    const { auth, session, join, audited, a, b } = openMembers(db);
    const { principal } = await session();
    join(principal.userId, a);
    const made = await auth.apiKeys.create(principal, { name: 'x', scopes, tenantId: a });
    expect(made.apiKey.tenantId).toBe(a);
    expect(audited.at(-1)).toMatchObject({ type: 'auth.api_key.created', tenantId: a });
    const used = await auth.authenticate(made.key);
    expect(used).toMatchObject({ tenantId: a, apiKey: { tenantId: a }, user: { tenantId: null } });
    const next = await auth.apiKeys.rotate(principal, made.apiKey.id);
    expect((await auth.authenticate(next.key))?.tenantId).toBe(a);
    const free = await auth.apiKeys.create(principal, { name: 'x', scopes });
    expect((await auth.authenticate(free.key))?.tenantId).toBeNull();
    // One of others, one that nobody knows, one that is none; nothing is left behind.
    for (const [tenantId, code] of [
      [b, 'auth.access_denied'],
      [uuidv7(), 'auth.access_denied'],
      ['acme', 'core.validation_failed'],
    ] as const)
      expect(await codeOf(auth.apiKeys.create(principal, { name: 'x', scopes, tenantId }))).toBe(
        code,
      );
    expect(await auth.apiKeys.list(principal)).toHaveLength(3);
  });

  test('nobody makes a key for a tenant where the app does not say who is a member', async ({
    db,
  }) => {
    const { auth, session } = openAuth(db, { authorization });
    const { principal } = await session();
    const input = { name: 'x', scopes, tenantId: uuidv7() };
    expect(await codeOf(auth.apiKeys.create(principal, input))).toBe('auth.access_denied');
  });

  test('where identities belong to tenants, a key belongs to that of its owner', async ({ db }) => {
    const { auth, a, b, at, member, principal } = openTenants(db, {
      authorization,
      apiKeys: { isMember: () => true },
    });
    const email = someone();
    await member(email, a);
    const { principal: mine } = await principal(email, a);
    const input = { name: 'x', scopes };
    const { key, apiKey } = await auth.apiKeys.create(mine, input, at(a));
    expect(apiKey.tenantId).toBe(a);
    expect((await auth.authenticate(key, { tenantId: a }))?.tenantId).toBe(a);
    expect(await auth.authenticate(key, { tenantId: b })).toBeNull();
    expect(await codeOf(auth.apiKeys.create(mine, { ...input, tenantId: b }))).toBe(
      'auth.access_denied',
    );
  });

  test('admins list and end those of their tenant, and no others', async ({ db }) => {
    const { auth, session, join, audited, a, b } = openMembers(db);
    const admin = { type: 'user', id: uuidv7() } as const;
    const [ann, bob] = [(await session()).principal, (await session()).principal];
    const keyOf = async (principal: typeof ann, tenantId?: string) => {
      if (tenantId !== undefined) join(principal.userId, tenantId);
      const input = { name: 'x', scopes, ...(tenantId !== undefined && { tenantId }) };
      return auth.apiKeys.create(principal, input);
    };
    const [first, second, foreign, free] = [
      await keyOf(ann, a),
      await keyOf(bob, a),
      await keyOf(ann, b),
      await keyOf(ann),
    ];
    const { ofTenant } = auth.apiKeys;
    const listed = await ofTenant.list(a, { limit: 9 });
    expect(listed.map(({ id, userId }) => [id, userId])).toEqual([
      [second.apiKey.id, bob.userId],
      [first.apiKey.id, ann.userId],
    ]);
    expect(await ofTenant.list(a, { limit: 9, before: second.apiKey.id })).toHaveLength(1);
    for (const { apiKey } of [foreign, free])
      expect(await codeOf(ofTenant.revoke(a, apiKey.id, admin))).toBe('auth.api_key_not_found');
    const twenty = Array.from({ length: 20 }, () => ofTenant.revoke(a, first.apiKey.id, admin));
    expect(await tally(twenty)).toEqual({ fulfilled: 1, codes: ['auth.api_key_not_found'] });
    expect(audited.at(-1)).toMatchObject({
      type: 'auth.api_key.revoked',
      tenantId: a,
      actor: admin,
      target: { id: first.apiKey.id },
    });
    expect(await auth.authenticate(first.key)).toBeNull();
    expect(await ofTenant.revokeAll(a, { userId: ann.userId }, admin)).toBe(0);
    expect(await ofTenant.revokeAll(a, {}, admin)).toBe(1);
    expect(await auth.authenticate(second.key)).toBeNull();
    for (const { key } of [foreign, free]) expect(await auth.authenticate(key)).not.toBeNull();
  });

  test('over HTTP, behind the guard of the app', async ({ db }) => {
    const { auth, session, join, a } = openMembers(db);
    const { token, principal } = await session();
    join(principal.userId, a);
    const app = new Hono<HttpEnv>();
    const logger = recordingLogger();
    stack(app, { logger, clock: systemClock, typeBase: 'https://app.example.com/errors' });
    const guard = createMiddleware(async (c, next) =>
      c.req.header('x-admin') === 'yes' ? next() : c.json({}, 403),
    );
    const actor = { type: 'user', id: principal.userId } as const;
    app.route('/auth', authRoutes(auth));
    app.route(
      '/tenant/api-keys',
      tenantApiKeyRoutes(auth, { guard, tenantOf: () => a, actorOf: () => actor }),
    );
    expect(undocumentedRoutes(app)).toEqual([]);
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    const made = [];
    for (let each = 0; each < 3; each += 1) {
      const body = JSON.stringify({ name: 'x', scopes, tenantId: a });
      const answer = await app.request('/auth/api-keys', { method: 'POST', headers, body });
      expect(answer.status).toBe(201);
      made.unshift(((await answer.json()) as { id: string; tenantId: string }).id);
    }
    expect((await app.request('/tenant/api-keys')).status).toBe(403);
    const asAdmin = { headers: { 'x-admin': 'yes' } };
    const read = async (query: string) =>
      (await (await app.request(`/tenant/api-keys?${query}`, asAdmin)).json()) as {
        items: { id: string; userId: string; tenantId: string }[];
        nextCursor: string | null;
      };
    const first = await read('limit=2');
    expect(first.items[0]).toMatchObject({ userId: principal.userId, tenantId: a });
    const rest = await read(`limit=2&cursor=${first.nextCursor}`);
    expect([...first.items, ...rest.items].map(({ id }) => id)).toEqual(made);
    expect(rest.nextCursor).toBeNull();
    const gone = await app.request(`/tenant/api-keys/${made[0]}`, { ...asAdmin, method: 'DELETE' });
    expect(gone.status).toBe(204);
    expect((await read('')).items).toHaveLength(2);
  });
});
