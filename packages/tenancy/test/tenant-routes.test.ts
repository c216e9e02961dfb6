import { failure, uuidv7 } from '@svc/core';
import type { Db } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import {
  csrfGuard,
  type HttpEnv,
  openapiDocument,
  stack,
  undocumentedRoutes,
} from '@svc/http/hono';
import { type Context, Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { expect } from 'vitest';
import { type TenantPrincipal, tenantRoutes } from '../src/hono/index.ts';
import { createTenantDeletion, tenantTables } from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { openTenancy, somebody, type Somebody } from './open-tenancy.ts';

class Unauthenticated extends failure('test.unauthenticated', 'unauthenticated', 'Sign in.') {}

const principal = (c: Context): TenantPrincipal => {
  const session = c.req.header('x-session');
  const apiKey = c.req.header('x-api-key');
  return {
    userId: c.req.header('x-user') ?? '',
    email: c.req.header('x-email'),
    selector:
      session !== undefined
        ? { kind: 'session', id: session }
        : apiKey === undefined
          ? null
          : { kind: 'api_key', id: apiKey },
  };
};

/** An app whose callers say who they are. */
function openApp(db: Db, options: Parameters<typeof openTenancy>[1] = {}) {
  const opened = openTenancy(db, options);
  const { tenancy, clock } = opened;
  const app = new Hono<HttpEnv>();
  stack(app, { clock, typeBase: 'https://app.example.com/errors' });
  const csrf = csrfGuard({ origins: ['https://app.example.com'] });
  const guard = createMiddleware(async (c, next) => {
    if (c.req.header('x-user') === undefined) throw new Unauthenticated();
    return csrf(c, next);
  });
  const sensitive = createMiddleware(async (c, next) => {
    if (c.req.header('x-recent') === undefined) throw new Unauthenticated();
    return guard(c, next);
  });
  app.route('/', tenantRoutes(tenancy, { principal, guard, sensitive }));
  const as = (who: Somebody, more: Record<string, string> = {}) => {
    const headers = { 'x-user': who.userId, 'x-email': who.email, 'x-recent': '1', ...more };
    return async (method: string, path: string, body?: unknown) => {
      const answer = await app.request(path, {
        method,
        headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      const json = text === '' ? null : (JSON.parse(text) as Record<string, unknown>);
      return { status: answer.status, json };
    };
  };
  const form = (fields: Record<string, string>, headers: Record<string, string>) =>
    app.request('/invitations/accept', {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers,
    });
  return { ...opened, app, as, form };
}

describeDatabases('tenants over HTTP', [tenancyMigrations], (test) => {
  test('from making one to deleting it', async ({ db }) => {
    const { as, tokenOf } = openApp(db);
    const [ann, bob] = [somebody(), somebody()];
    const [asAnn, asBob] = [as(ann, { 'x-session': 's-ann' }), as(bob)];
    const made = await asAnn('POST', '/tenants', { name: 'Acme' });
    const id = made.json?.['id'] as string;
    expect(made).toEqual({
      status: 201,
      json: {
        id: expect.any(String),
        name: 'Acme',
        role: 'owner',
        createdAt: '2026-01-01T00:00:00.000Z',
        suspendedAt: null,
      },
    });
    const renamed = await asAnn('PATCH', `/tenants/${id}`, { name: 'Acme Ltd' });
    expect(renamed).toMatchObject({ status: 200, json: { name: 'Acme Ltd' } });
    const invited = await asAnn('POST', `/tenants/${id}/invitations`, {
      email: bob.email,
      role: 'member',
    });
    expect(invited).toEqual({
      status: 201,
      json: {
        id: expect.any(String),
        email: bob.email,
        role: 'member',
        invitedBy: ann.userId,
        createdAt: '2026-01-01T00:00:00.000Z',
        expiresAt: '2026-01-08T00:00:00.000Z',
      },
    });
    expect(await asAnn('GET', `/tenants/${id}/invitations`)).toEqual({
      status: 200,
      json: { items: [invited.json] },
    });
    const token = tokenOf(bob.email);
    const accepted = await asBob('POST', '/invitations/accept', { token });
    expect(accepted).toMatchObject({ status: 200, json: { id, role: 'member' } });
    expect(await asBob('GET', '/tenants')).toMatchObject({
      status: 200,
      json: { items: [{ id, role: 'member' }] },
    });
    const first = await asBob('GET', `/tenants/${id}/members?limit=1`);
    expect(first.json).toMatchObject({ items: [{ userId: ann.userId }], next: ann.userId });
    const second = await asBob('GET', `/tenants/${id}/members?limit=1&after=${ann.userId}`);
    expect(second.json).toMatchObject({ items: [{ userId: bob.userId }], next: null });
    const role = `/tenants/${id}/members/${bob.userId}/role`;
    expect((await asBob('PUT', role, { role: 'owner' })).status).toBe(403);
    expect(await asAnn('PUT', role, { role: 'admin' })).toMatchObject({
      status: 200,
      json: { role: 'admin' },
    });
    expect((await asAnn('POST', `/tenants/${id}/leave`)).status).toBe(409);
    const handed = await asAnn('POST', `/tenants/${id}/transfer`, { userId: bob.userId });
    expect(handed.status).toBe(204);
    expect((await asAnn('DELETE', `/tenants/${id}`)).status).toBe(403);
    expect((await asBob('DELETE', `/tenants/${id}/members/${ann.userId}`)).status).toBe(204);
    expect((await asAnn('GET', `/tenants/${id}`)).status).toBe(404);
    expect((await asBob('DELETE', `/tenants/${id}`)).status).toBe(202);
    expect((await asBob('GET', `/tenants/${id}`)).status).toBe(404);
  });

  test('that is deleted is brought back by an owner until it is due', async ({ db }) => {
    const { as, tenancy, clock } = openApp(db, { deletionGrace: '1d' });
    const [ann, bob] = [somebody(), somebody()];
    const [asAnn, asBob] = [as(ann), as(bob)];
    const { json } = await asAnn('POST', '/tenants', { name: 'Acme' });
    const path = `/tenants/${json?.['id'] as string}`;
    expect((await asAnn('POST', `${path}/restore`)).status).toBe(404);
    expect(await asAnn('DELETE', path)).toEqual({
      status: 202,
      json: { dueAt: '2026-01-02T00:00:00.000Z' },
    });
    expect((await asAnn('GET', path)).status).toBe(404);
    expect((await asBob('POST', `${path}/restore`)).status).toBe(404);
    expect((await asAnn('POST', `${path}/restore`)).status).toBe(204);
    expect((await asAnn('GET', path)).status).toBe(200);
    await asAnn('DELETE', path);
    const deletion = createTenantDeletion({ tenancy, tables: tenantTables(['svc_tenancy.usage']) });
    const id = json?.['id'] as string;
    expect(await deletion.find(id)).toMatchObject({ startedAt: null, receipt: null });
    await clock.advance('1d');
    const receipt = await deletion.run(id);
    expect(await deletion.find(id)).toMatchObject({ dueAt: clock.now(), receipt });
    expect((await asAnn('POST', `${path}/restore`)).status).toBe(404);
    expect(await deletion.find(bob.userId)).toBeNull();
  });

  test('are renamed in the version that If-Match names, and in no other', async ({ db }) => {
    const { as, app } = openApp(db);
    const ann = somebody();
    const made = await as(ann)('POST', '/tenants', { name: 'Acme' });
    const path = `/tenants/${made.json?.['id'] as string}`;
    const rename = (name: string, ifMatch?: string) =>
      app.request(path, {
        method: 'PATCH',
        headers: {
          'x-user': ann.userId,
          'content-type': 'application/json',
          ...(ifMatch !== undefined && { 'if-match': ifMatch }),
        },
        body: JSON.stringify({ name }),
      });
    const read = await app.request(path, { headers: { 'x-user': ann.userId } });
    expect(read.headers.get('etag')).toBe('"1"');
    const renamed = await rename('Two', '"1"');
    expect([renamed.status, renamed.headers.get('etag')]).toEqual([200, '"2"']);
    for (const stale of ['"1"', 'W/"2"']) {
      const refused = await rename('Three', stale);
      expect(refused.status).toBe(412);
      expect(await refused.json()).toMatchObject({ code: 'http.precondition_failed' });
    }
    expect(await (await rename('Four')).json()).toMatchObject({ name: 'Four' });
  });

  test('are selected for a session and for an API key, each its own', async ({ db }) => {
    const { as, tenancy, tenant } = openApp(db);
    const { id, owner } = await tenant();
    const path = `/tenants/${id}/select`;
    expect((await as(owner)('POST', path)).status).toBe(400);
    for (const headers of [{ 'x-session': 'one' }, { 'x-api-key': 'one' }])
      expect(await as(owner, headers as Record<string, string>)('POST', path)).toMatchObject({
        status: 200,
        json: { id },
      });
    const selected = (kind: 'session' | 'api_key', which: string) =>
      tenancy.selectedBy({ kind, id: which });
    expect(await selected('session', 'one')).toBe(id);
    expect(await selected('api_key', 'one')).toBe(id);
    expect(await selected('session', 'two')).toBeNull();
    const stranger = as(somebody(), { 'x-session': 'two' });
    expect((await stranger('POST', path)).status).toBe(404);
  });

  test('of others answer on every route as tenants that do not exist', async ({ db }) => {
    const { as, tenant, app } = openApp(db);
    const { id: foreign, owner } = await tenant();
    const { owner: ann } = await tenant();
    const ask = as(ann, { 'x-session': 's', 'x-request-id': 'the-same-request' });
    const bodies: Record<string, unknown> = {
      renameTenant: { name: 'Mine' },
      transferTenant: { userId: owner.userId },
      changeMemberRole: { role: 'member' },
      inviteMember: { email: 'x@example.com', role: 'member' },
    };
    const document = await openapiDocument(app, { info: { title: 'T', version: '1' } });
    const asked: string[] = [];
    for (const [path, methods] of Object.entries(document.paths ?? {})) {
      if (!path.includes('{id}')) continue;
      for (const [method, { operationId = '' }] of Object.entries(
        methods as Record<string, { operationId?: string }>,
      )) {
        const answer = (id: string) =>
          ask(
            method.toUpperCase(),
            path
              .replace('{id}', id)
              .replace('{userId}', owner.userId)
              .replace('{invitationId}', uuidv7()),
            bodies[operationId],
          );
        const missing = await answer(uuidv7());
        expect([operationId, missing.status]).toEqual([operationId, 404]);
        expect([operationId, await answer(foreign)]).toEqual([operationId, missing]);
        asked.push(operationId);
      }
    }
    expect(asked.length).toBeGreaterThanOrEqual(12);
  });

  test('need a guard on every route but the page of a link, and a stronger one to hand over, make owners and delete', async ({
    db,
  }) => {
    const { app, tenant } = openApp(db);
    const { id, owner, add } = await tenant();
    const document = await openapiDocument(app, { info: { title: 'T', version: '1' } });
    for (const [path, methods] of Object.entries(document.paths ?? {}))
      for (const method of Object.keys(methods as object)) {
        const answer = await app.request(path.replaceAll(/\{\w+\}/g, id), {
          method: method.toUpperCase(),
        });
        const isPage = path === '/invitations/accept' && method === 'get';
        expect([method, path, answer.status]).toEqual([method, path, isPage ? 400 : 401]);
      }
    const headers = { 'x-user': owner.userId };
    for (const [method, path] of [
      ['DELETE', `/tenants/${id}`],
      ['POST', `/tenants/${id}/transfer`],
    ] as const)
      expect((await app.request(path, { method, headers })).status).toBe(401);
    const bob = await add('member');
    const role = `/tenants/${id}/members/${bob.userId}/role`;
    const invitations = `/tenants/${id}/invitations`;
    const invited = { email: 'heir@example.com', role: 'owner' };
    const json = (method: string, path: string, body: object, more = {}) =>
      app.request(path, {
        method,
        body: JSON.stringify(body),
        headers: { ...headers, 'content-type': 'application/json', ...more },
      });
    const recent = { 'x-recent': '1' };
    for (const [method, path, body, passed] of [
      ['PUT', role, { role: 'owner' }, 200],
      ['POST', invitations, invited, 201],
    ] as const) {
      expect((await json(method, path, body)).status).toBe(401);
      expect((await json(method, path, { ...body, role: 'admin' })).status).toBe(passed);
      expect((await json(method, path, body, recent)).status).toBe(passed);
    }
    expect(undocumentedRoutes(app)).toEqual([]);
  });

  test('the page of an invitation uses nothing up, and its button makes a member', async ({
    db,
  }) => {
    const { app, form, tenancy, tenant, tokenOf } = openApp(db);
    const { id, owner } = await tenant('<b>Acme</b>');
    const bob = somebody();
    await tenancy.invitations.create(
      id,
      { email: bob.email, role: 'member' },
      { by: owner.userId },
    );
    const token = tokenOf(bob.email);
    for (let visit = 0; visit < 3; visit += 1) {
      const page = await app.request(`/invitations/accept?token=${token}`);
      const html = await page.text();
      expect([page.status, page.headers.get('cache-control')]).toEqual([200, 'no-store']);
      expect(page.headers.get('referrer-policy')).toBe('no-referrer');
      expect(page.headers.get('content-security-policy')).toContain("form-action 'self'");
      expect(html).toContain(`value="${token}"`);
      expect(html).toContain('&lt;b&gt;Acme&lt;/b&gt;');
      expect(html).not.toContain('<b>');
    }
    const ours = { 'x-user': bob.userId, 'x-email': bob.email, 'sec-fetch-site': 'same-origin' };
    const foreign = await form(
      { token },
      { ...ours, cookie: 'a=b', 'sec-fetch-site': 'cross-site' },
    );
    expect(foreign.status).toBe(400);
    const anonymous = await form({ token }, {});
    expect([anonymous.status, await anonymous.text()]).toEqual([
      401,
      expect.stringContaining('Sign in first'),
    ]);
    expect(anonymous.headers.get('content-type')).toContain('text/html');
    const thief = await form({ token }, { ...ours, 'x-email': 'thief@example.com' });
    expect([thief.status, await thief.text()]).toEqual([
      400,
      expect.stringContaining('for another e-mail address'),
    ]);
    const joined = await form({ token }, { ...ours, cookie: 'a=b' });
    expect([joined.status, await joined.text()]).toEqual([
      200,
      expect.stringContaining('You are a member of &lt;b&gt;Acme&lt;/b&gt; now'),
    ]);
    expect(await tenancy.membershipOf(id, bob.userId)).toMatchObject({ role: 'member' });
    const again = await form({ token }, ours);
    expect([again.status, await again.text()]).toEqual([
      400,
      expect.stringContaining('not valid any more'),
    ]);
    const page = await app.request('/invitations/accept?token=%22%3E%3Cscript%3E');
    expect([page.status, await page.text()]).toEqual([400, expect.not.stringContaining('script')]);
  });

  test('an API key accepts no invitation, and stands in the audit log for itself', async ({
    db,
  }) => {
    const { as, tenant, audited } = openApp(db);
    const { id, owner } = await tenant();
    const key = as({ ...owner }, { 'x-api-key': 'key-1' });
    await key('PATCH', `/tenants/${id}`, { name: 'New' });
    expect(audited.at(-1)).toMatchObject({
      type: 'tenancy.tenant.renamed',
      tenantId: id,
      actor: { type: 'api_key', id: 'key-1' },
    });
  });
});
