import { beforeAll, describe, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import {
  control,
  createTenant,
  expectJson,
  expectProblem,
  goodPassword,
  inTenant,
  request,
  signIn,
  signUp,
  signUpInTenant,
} from './client.ts';
import { idOf as me, join } from './members.ts';
import { enrolTotp } from './totp.ts';

let halfAdmin: string;
let admin: string;

beforeAll(async () => {
  const { token } = await control('administrator');
  halfAdmin = (await signUp()).token;
  await expectJson(grant(await me(halfAdmin), ['admin'], token));
});

interface User {
  id: string;
  email: string;
  roles: string[];
}

interface AuditPage {
  items: { type: string; outcome: string; actor: { id: string | null } }[];
}

const grant = (id: string, roles: string[], as = admin) =>
  request(`/admin/users/${id}/roles`, { method: 'PUT', as, json: { roles } });

describe('roles', () => {
  test('the role of an administrator brings nothing before a second factor was shown', async () => {
    const answer = await request('/admin/users', { as: halfAdmin });
    expect(answer.headers.get('www-authenticate')).toMatch(
      /error="insufficient_user_authentication".*acr_values="2"/,
    );
    await expectProblem(answer, 401, 'auth.insufficient_user_authentication');
    admin = (await enrolTotp(halfAdmin)).token;
    const { items } = await expectJson<{ items: User[] }>(request('/admin/users', { as: admin }));
    expect(items.length).toBeGreaterThan(0);
  });

  test('without the role every address under /admin is forbidden, and without a session too', async () => {
    const { token } = await signUp();
    const id = await me(token);
    for (const [method, path, json] of [
      ['GET', '/admin/users'],
      ['PUT', `/admin/users/${id}/roles`, { roles: ['admin'] }],
      ['DELETE', `/admin/users/${id}`],
      ['GET', '/admin/tenants'],
      ['PATCH', `/admin/tenants/${id}`, { plan: 'pro' }],
      ['POST', `/admin/users/${id}/disable`],
      ['GET', '/admin/audit/events'],
    ] as const) {
      await expectProblem(
        await request(path, { method, json, as: token }),
        403,
        'auth.access_denied',
      );
      await expectProblem(await request(path, { method, json }), 401, 'auth.unauthenticated');
    }
  });

  test('a role brings its permissions with the next request, and no others, and goes the same way', async () => {
    const { token } = await signUp();
    const id = await me(token);
    const user = await expectJson<User>(grant(id, ['support']));
    expect(user.roles).toEqual(['support']);
    expect((await request('/admin/users', { as: token })).status).toBe(200);
    await expectProblem(await grant(id, ['admin'], token), 403, 'auth.access_denied');
    await expectProblem(await request('/admin/audit/events', { as: token }), 403);
    await expectJson(grant(id, []));
    await expectProblem(await request('/admin/users', { as: token }), 403, 'auth.access_denied');
    await expectProblem(await grant(id, ['emperor']), 400);
  });

  test('nobody gives themselves a role, or is verified or has a second factor by saying so', async () => {
    const { token } = await signUp();
    for (const field of ['roles', 'role', 'verified', 'verifiedAt', 'mfaEnabled', 'tenantId', 'id'])
      await expectProblem(
        await request('/auth/me', {
          method: 'PATCH',
          as: token,
          json: { name: 'Eve', [field]: 'admin' },
        }),
        400,
      );
    const { user } = await expectJson<{ user: { name: string | null } }>(
      request('/auth/me', { as: token }),
    );
    expect(user.name).toBeNull();
    await expectProblem(await request('/admin/users', { as: token }), 403);
  });

  test('a disabled user is out at once, with every session and every key', async () => {
    const { email, password, token, tenantId } = await signUpInTenant();
    const id = await me(token);
    const headers = inTenant(tenantId);
    const made = await expectJson<{ key: string }>(
      request('/auth/api-keys', { as: token, json: { name: 'x', scopes: ['project.list'] } }),
      201,
    );
    expect((await request('/projects', { as: made.key, headers })).status).toBe(200);
    await expectJson(request(`/admin/users/${id}/disable`, { method: 'POST', as: admin }));
    for (const as of [token, made.key])
      await expectProblem(await request('/projects', { as, headers }), 401, 'auth.unauthenticated');
    const login = await request('/auth/login', { json: { email, password } });
    await expectProblem(login, 401, 'auth.invalid_credentials');
    await expectJson(request(`/admin/users/${id}/enable`, { method: 'POST', as: admin }));
    expect((await request('/projects', { as: made.key, headers })).status).toBe(200);
    await signIn(email, password);
  });
});

describe('owners', () => {
  const create = async (as: string) =>
    (await expectJson<{ id: string }>(request('/projects', { as, json: { name: 'Apollo' } }), 201))
      .id;

  test("another tenant's project can be neither read nor changed, whoever asks, and looks like none", async () => {
    const [owner, stranger] = [await signUpInTenant(), await signUpInTenant()];
    await createTenant(admin);
    const path = `/projects/${await create(owner.token)}`;
    expect((await request(path, { as: owner.token })).status).toBe(200);
    for (const as of [stranger.token, admin]) {
      await expectProblem(await request(path, { as }), 404, 'projects.not_found');
      const change = { method: 'PATCH', as, json: { name: 'Mine', version: 1 } };
      await expectProblem(await request(path, change), 404, 'projects.not_found');
      await expectProblem(await request(path, { method: 'DELETE', as }), 404);
    }
    const { name } = await expectJson<{ name: string }>(request(path, { as: owner.token }));
    expect(name).toBe('Apollo');
  });

  test("a member reads a colleague's project, and changes and deletes only their own; an admin any", async () => {
    const owner = await signUpInTenant();
    const [one, two] = [await join(owner, 'member'), await join(owner, 'member')];
    const boss = await join(owner, 'admin');
    const path = `/projects/${await create(one.token)}`;
    expect((await request(path, { as: two.token })).status).toBe(200);
    const change = (as: string, version: number) =>
      request(path, { method: 'PATCH', as, json: { name: 'Gemini', version } });
    await expectProblem(await change(two.token, 1), 403, 'auth.access_denied');
    const deleting = { method: 'DELETE', as: two.token };
    await expectProblem(await request(path, deleting), 403, 'auth.access_denied');
    expect((await change(one.token, 1)).status).toBe(200);
    expect((await change(boss.token, 2)).status).toBe(200);
    expect((await request(path, { method: 'DELETE', as: boss.token })).status).toBe(204);
  });
});

describe('the system', () => {
  test('sees what no person may, for a reason that stands in the audit log, and only for support', async () => {
    const [owner, support] = [await signUpInTenant(), await signUp()];
    const made = await expectJson<{ id: string }>(
      request('/projects', { as: owner.token, json: { name: 'Apollo' } }),
      201,
    );
    const reason = `ticket ${crypto.randomUUID()}`;
    const look = (as: string, query = `reason=${encodeURIComponent(reason)}`) =>
      request(`/admin/projects?limit=100&${query}`, { as });
    await expectProblem(await look(support.token), 403, 'auth.access_denied');
    const supportId = await me(support.token);
    await expectJson(grant(supportId, ['support']));
    await expectProblem(await look(support.token, ''), 400);
    const { items } = await expectJson<{ items: { id: string }[] }>(look(support.token));
    expect(items.map(({ id }) => id)).toContain(made.id);
    const path = '/admin/audit/events?type=projects.system_access';
    const entry = await waitFor('the audit log to have it', 3000, async () => {
      const page = await expectJson<{ items: { actor: object }[] }>(request(path, { as: admin }));
      return page.items.find((each) => JSON.stringify(each).includes(reason));
    });
    expect(entry.actor).toEqual({ type: 'user', id: supportId, reason });
  });
});

describe('what is denied', () => {
  test('stands in the audit log, with who it was, and so does what was granted', async () => {
    const { token } = await signUp();
    const id = await me(token);
    await expectProblem(await request('/admin/users', { as: token }), 403);
    await expectJson(grant(id, ['auditor']));
    // What is committed is sealed, and so found, within a second.
    const search = (query: string) =>
      waitFor('the audit log to have it', 3000, async () => {
        const path = `/admin/audit/events?${query}`;
        const page = await expectJson<AuditPage>(request(path, { as: token }));
        return page.items.length > 0 ? page : undefined;
      });
    const denied = await search(`type=auth.access.denied&actorId=${id}`);
    expect(denied.items).toMatchObject([{ outcome: 'denied', actor: { id } }]);
    const granted = await search(`type=auth.user.roles_changed&targetId=${id}`);
    expect(granted.items).toMatchObject([{ outcome: 'success', actor: { id: await me(admin) } }]);
    const everything = JSON.stringify(await search(`actorId=${id}`));
    for (const secret of [token, goodPassword]) expect(everything).not.toContain(secret);
  });
});
