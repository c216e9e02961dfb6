import { uuidv7 } from '@svc/core';
import type { Db } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import {
  optionalTenant,
  requireTenant,
  requireTenantRole,
  type TenantPrincipal,
} from '../src/hono/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { openTenancy, type Somebody } from './open-tenancy.ts';

const staff = { type: 'system', id: null, reason: 'a test' } as const;

/** An app whose callers say who they are, and whose hosts stand for tenants. */
function openApp(db: Db) {
  const opened = openTenancy(db);
  const { tenancy } = opened;
  const options = {
    principal: (c: { req: { header(name: string): string | undefined } }): TenantPrincipal => {
      const session = c.req.header('x-session');
      return {
        userId: c.req.header('x-user') ?? '',
        selector: session === undefined ? null : { kind: 'session', id: session },
        tenantId: c.req.header('x-held-to') ?? null,
      };
    },
    override: (c: { req: { header(name: string): string | undefined } }) =>
      c.req.header('x-host-tenant'),
  };
  const app = new Hono<HttpEnv>();
  stack(app, { clock: opened.clock, typeBase: 'https://app.example.com/errors' });
  app.use(async (c, next) => {
    const variable = c.req.header('x-variable');
    if (variable !== undefined)
      (c as { set(key: string, value: string): void }).set('tenantId', variable);
    await next();
  });
  app.get('/needed', requireTenant(tenancy, options), (c) => c.json(c.get('tenant')));
  app.get('/optional', optionalTenant(tenancy, options), (c) => c.json(c.get('tenant') ?? null));
  app.get('/admins', requireTenant(tenancy, options), requireTenantRole(tenancy, 'admin'), (c) =>
    c.text('in'),
  );
  const ask = (path: string, who: Somebody, headers: Record<string, string> = {}) =>
    app.request(path, {
      headers: { 'x-user': who.userId, 'x-request-id': 'the-same-request', ...headers },
    });
  const tenantFor = async (who: Somebody, headers: Record<string, string>) =>
    ((await (await ask('/needed', who, headers)).json()) as { id?: string }).id;
  return { ...opened, ask, tenantFor };
}

describeDatabases('which tenant a request is for', [tenancyMigrations], (test) => {
  test('is said by the app, else the session, else the header, else earlier middleware', async ({
    db,
  }) => {
    const { tenancy, tenantFor, tenant } = openApp(db);
    const { owner: ann, id: variable } = await tenant();
    const make = () => tenancy.tenants.create({ name: 'Other' }, { ownerId: ann.userId });
    const [host, chosen, header] = [await make(), await make(), await make()].map(({ id }) => id);
    if (host === undefined || chosen === undefined || header === undefined) throw new Error();
    await tenancy.select({ kind: 'session', id: 's1' }, chosen, ann.userId);
    const said = {
      'x-variable': variable,
      'x-tenant-id': header,
      'x-session': 's1',
      'x-host-tenant': host,
    };
    expect(await tenantFor(ann, said)).toBe(host);
    const { 'x-host-tenant': _, ...bySession } = said;
    for (const same of [chosen, chosen.toUpperCase()])
      expect(await tenantFor(ann, { ...bySession, 'x-tenant-id': same })).toBe(chosen);
    expect(await tenantFor(ann, { ...bySession, 'x-session': 's2' })).toBe(header);
    expect(await tenantFor(ann, { 'x-variable': variable, 'x-tenant-id': header })).toBe(header);
    expect(await tenantFor(ann, { 'x-variable': variable })).toBe(variable);
  });

  test('is the one that an API key is held to, and no other, and only while its owner is a member', async ({
    db,
  }) => {
    const { tenancy, ask, tenantFor, tenant } = openApp(db);
    const { owner: ann, id } = await tenant();
    const other = (await tenancy.tenants.create({ name: 'Other' }, { ownerId: ann.userId })).id;
    await tenancy.select({ kind: 'session', id: 's1' }, other, ann.userId);
    const held = { 'x-held-to': id };
    expect(await tenantFor(ann, { ...held, 'x-session': 's1' })).toBe(id);
    expect(await tenantFor(ann, { ...held, 'x-tenant-id': id.toUpperCase() })).toBe(id);
    for (const name of ['x-host-tenant', 'x-variable'])
      expect((await ask('/needed', ann, { ...held, [name]: other })).status).toBe(404);
    expect((await ask('/needed', ann, { ...held, 'x-tenant-id': other })).status).toBe(409);
    const { owner: bob } = await tenant();
    expect((await ask('/needed', bob, held)).status).toBe(404);
  });

  test('is never granted by what says it, and a tenant of others is as one that does not exist', async ({
    db,
  }) => {
    const { ask, tenancy, tenant } = openApp(db);
    const [{ owner: ann }, { id: foreign, owner: bob }] = [await tenant(), await tenant()];
    await tenancy.select({ kind: 'session', id: "bob's" }, foreign, bob.userId);
    const bodyOf = async (headers: Record<string, string>) => {
      const answer = await ask('/needed', ann, headers);
      return JSON.stringify([answer.status, [...answer.headers], await answer.json()]);
    };
    const missing = await bodyOf({ 'x-tenant-id': uuidv7() });
    expect(missing).toContain('tenancy.tenant_not_found');
    for (const name of ['x-tenant-id', 'x-host-tenant', 'x-variable'])
      expect(await bodyOf({ [name]: foreign })).toBe(missing);
    expect(await bodyOf({ 'x-session': "bob's" })).toBe(missing);
    expect(await bodyOf({ 'x-tenant-id': 'no id' })).toBe(missing);
    expect(await bodyOf({})).toBe(missing);
  });

  test('does not fall back to another when the one that was said is not theirs', async ({ db }) => {
    const { ask, tenancy, tenant } = openApp(db);
    const [{ owner: ann, id: own }, acme] = [await tenant(), await tenant()];
    const member = await acme.add('member');
    await tenancy.select({ kind: 'session', id: 's' }, acme.id, member.userId);
    const headers = { 'x-session': 's', 'x-variable': own };
    expect((await ask('/needed', member, headers)).status).toBe(200);
    await tenancy.members.remove(acme.id, member.userId, { by: acme.owner.userId });
    expect((await ask('/needed', member, headers)).status).toBe(404);
    expect((await ask('/needed', ann, { ...headers, 'x-session': 'none' })).status).toBe(200);
  });

  test('is refused where the header names another than the one that was selected, whosever it is', async ({
    db,
  }) => {
    const { ask, tenancy, tenant } = openApp(db);
    const [acme, { id: foreign }] = [await tenant(), await tenant()];
    const member = await acme.add('member');
    const own = (await tenancy.tenants.create({ name: 'Own' }, { ownerId: member.userId })).id;
    await tenancy.select({ kind: 'session', id: 's' }, acme.id, member.userId);
    const refusal = async (named: string) => {
      const answer = await ask('/needed', member, { 'x-session': 's', 'x-tenant-id': named });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    const others = [own, foreign, uuidv7(), 'no id', ''];
    for (const other of others)
      expect(await refusal(other)).toEqual([409, 'tenancy.tenant_mismatch']);
    await tenancy.members.remove(acme.id, member.userId, { by: acme.owner.userId });
    for (const other of others)
      expect(await refusal(other)).toEqual([409, 'tenancy.tenant_mismatch']);
    expect(await refusal(acme.id)).toEqual([404, 'tenancy.tenant_not_found']);
  });

  test('is checked on every request: a removal or a suspension takes effect on the next', async ({
    db,
  }) => {
    const { ask, tenancy, tenant } = openApp(db);
    const { id, owner, add } = await tenant();
    const member = await add('member');
    const headers = { 'x-tenant-id': id };
    const admitted = await ask('/needed', member, headers);
    expect(await admitted.json()).toEqual({
      id,
      name: 'Acme',
      role: 'member',
      userId: member.userId,
      actor: { type: 'user', id: member.userId },
    });
    await tenancy.tenants.suspend(id, { reason: 'unpaid' }, staff);
    const suspended = await ask('/needed', member, headers);
    expect([suspended.status, await suspended.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'tenancy.suspended' }),
    ]);
    await tenancy.tenants.resume(id, staff);
    await tenancy.members.remove(id, member.userId, { by: owner.userId });
    expect((await ask('/needed', member, headers)).status).toBe(404);
  });

  test('may be left out where it is optional, and is checked where it is not', async ({ db }) => {
    const { ask, tenant } = openApp(db);
    const [{ owner: ann, id: own }, { id: foreign }] = [await tenant(), await tenant()];
    expect(await (await ask('/optional', ann)).json()).toBeNull();
    const named = await ask('/optional', ann, { 'x-tenant-id': own });
    expect(await named.json()).toMatchObject({ id: own });
    expect((await ask('/optional', ann, { 'x-tenant-id': foreign })).status).toBe(404);
  });

  test('brings the role in that tenant, and no other', async ({ db }) => {
    const { ask, tenant, tenancy, tokenOf, audited } = openApp(db);
    const [{ owner: ann, id: own }, acme] = [await tenant(), await tenant()];
    const by = { by: acme.owner.userId };
    await tenancy.invitations.create(acme.id, { email: ann.email, role: 'member' }, by);
    await tenancy.invitations.accept({ token: tokenOf(ann.email), ...ann });
    expect((await ask('/admins', ann, { 'x-tenant-id': own })).status).toBe(200);
    const refused = await ask('/admins', ann, { 'x-tenant-id': acme.id });
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'tenancy.role_required' }),
    ]);
    expect(audited.at(-1)).toMatchObject({
      type: 'tenancy.access.denied',
      outcome: 'denied',
      tenantId: acme.id,
      actor: { type: 'user', id: ann.userId },
      details: { role: 'admin', route: '/admins', method: 'GET' },
    });
    expect(() => requireTenantRole(tenancy, 'emperor' as 'owner')).toThrow(TypeError);
  });
});
