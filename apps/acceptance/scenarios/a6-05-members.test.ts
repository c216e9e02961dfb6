import { beforeAll, describe, expect, test } from 'vitest';
import {
  control,
  createTenant,
  expectJson,
  expectProblem,
  inTenant,
  newAddress,
  request,
  signUp,
  signUpInTenant,
  tokenFromMail,
} from './client.ts';
import { deletedTenant } from './deleted-tenant.ts';
import { idOf, join, type Person } from './members.ts';
import { enrolTotp } from './totp.ts';

const membersOf = async ({ token, tenantId }: Omit<Person, 'email'>) =>
  (
    await expectJson<{ items: { userId: string; role: string }[] }>(
      request(`/tenants/${tenantId}/members`, { as: token }),
    )
  ).items;

describe('owner, admin, member', () => {
  let owner: Person;
  let admin: Person & { id: string };
  let member: Person & { id: string };
  let ownerId: string;
  beforeAll(async () => {
    owner = await signUpInTenant();
    ownerId = await idOf(owner.token);
    [admin, member] = [await join(owner, 'admin'), await join(owner, 'member')];
  });

  const acts = {
    delete: ({ tenantId }: Person, as: string) =>
      request(`/tenants/${tenantId}`, { method: 'DELETE', as }),
    changeRole: ({ tenantId }: Person, as: string) =>
      request(`/tenants/${tenantId}/members/${member.id}/role`, {
        method: 'PUT',
        as,
        json: { role: 'admin' },
      }),
    transfer: ({ tenantId }: Person, as: string) =>
      request(`/tenants/${tenantId}/transfer`, { as, json: { userId: ownerId } }),
    invite: ({ tenantId }: Person, as: string) =>
      request(`/tenants/${tenantId}/invitations`, {
        as,
        json: { email: newAddress(), role: 'member' },
      }),
    inviteOwner: ({ tenantId }: Person, as: string) =>
      request(`/tenants/${tenantId}/invitations`, {
        as,
        json: { email: newAddress(), role: 'owner' },
      }),
    rename: ({ tenantId }: Person, as: string) =>
      request(`/tenants/${tenantId}`, { method: 'PATCH', as, json: { name: 'Taken' } }),
  };

  test('a member reads, and does nothing else', async () => {
    expect(await membersOf(member)).toHaveLength(3);
    for (const act of Object.values(acts))
      await expectProblem(await act(owner, member.token), 403, 'tenancy.role_required');
    for (const { id } of [admin, { id: ownerId }])
      await expectProblem(
        await request(`/tenants/${owner.tenantId}/members/${id}`, {
          method: 'DELETE',
          as: member.token,
        }),
        403,
        'tenancy.role_required',
      );
  });

  test('an admin adds and removes members, and neither deletes the tenant nor changes a role', async () => {
    for (const act of [acts.delete, acts.changeRole, acts.transfer, acts.inviteOwner])
      await expectProblem(await act(owner, admin.token), 403, 'tenancy.role_required');
    const guest = await join(admin, 'member');
    const remove = (id: string) =>
      request(`/tenants/${owner.tenantId}/members/${id}`, { method: 'DELETE', as: admin.token });
    await expectProblem(await remove(ownerId), 403, 'tenancy.role_required');
    expect((await remove(guest.id)).status).toBe(204);
    // From the next request on, though the session has the tenant selected.
    await expectProblem(
      await request('/projects', { as: guest.token }),
      404,
      'tenancy.tenant_not_found',
    );
    expect((await request(`/tenants/${owner.tenantId}`, { as: owner.token })).status).toBe(200);
  });

  test('what is denied stands in the tenant’s audit log', async () => {
    const staff = (await control('administrator')).token;
    await expectProblem(await acts.delete(owner, admin.token), 403, 'tenancy.role_required');
    const path = `/admin/audit/events?type=tenancy.access.denied&actorId=${admin.id}&tenantId=${owner.tenantId}`;
    await expect
      .poll(
        async () => (await expectJson<{ items: object[] }>(request(path, { as: staff }))).items,
        {
          timeout: 3000,
        },
      )
      .toContainEqual(expect.objectContaining({ outcome: 'denied', tenantId: owner.tenantId }));
  });

  test('an owner changes roles, in force at once, and deletes the tenant, which then exists for nobody', async () => {
    const own = await signUpInTenant();
    const other = await join(own, 'member');
    const path = `/tenants/${own.tenantId}/members/${other.id}/role`;
    await expectJson(request(path, { method: 'PUT', as: own.token, json: { role: 'admin' } }));
    expect((await acts.invite(own, other.token)).status).toBe(201);
    const made = await expectJson<{ id: string }>(
      request('/projects', { as: own.token, json: { name: 'Apollo' } }),
      201,
    );
    expect((await acts.delete(own, own.token)).status).toBe(202);
    for (const as of [own.token, other.token]) {
      await expectProblem(await request(`/tenants/${own.tenantId}`, { as }), 404);
      await expectProblem(
        await request(`/projects/${made.id}`, { as }),
        404,
        'tenancy.tenant_not_found',
      );
    }
  });
});

describe('the last owner', () => {
  test('can neither leave nor be demoted or removed, until another is one', async () => {
    const owner = await signUpInTenant();
    const heir = await join(owner, 'member');
    const id = await idOf(owner.token);
    const at = `/tenants/${owner.tenantId}`;
    const { token: as } = owner;
    const leave = () => request(`${at}/leave`, { method: 'POST', as });
    const demote = () =>
      request(`${at}/members/${id}/role`, { method: 'PUT', as, json: { role: 'member' } });
    const remove = () => request(`${at}/members/${id}`, { method: 'DELETE', as });
    for (const act of [leave, demote, remove])
      await expectProblem(await act(), 409, 'tenancy.last_owner');
    const promote = { method: 'PUT', as, json: { role: 'owner' } };
    await expectJson(request(`${at}/members/${heir.id}/role`, promote));
    expect((await leave()).status).toBe(204);
    expect(await membersOf(heir)).toMatchObject([{ userId: heir.id, role: 'owner' }]);
  });

  test('of two owners who leave at once, or remove each other, one stays', async () => {
    const [one, two] = [await signUp(), await signUp()];
    const ids = { one: await idOf(one.token), two: await idOf(two.token) };
    for (let round = 0; round < 6; round += 1) {
      const tenantId = await createTenant(one.token);
      await join({ ...one, tenantId }, 'owner', two);
      const at = `/tenants/${tenantId}`;
      const leaving = (as: string) => request(`${at}/leave`, { method: 'POST', as });
      const removing = (as: string, id: string) =>
        request(`${at}/members/${id}`, { method: 'DELETE', as });
      const both =
        round % 2 === 0
          ? [leaving(one.token), leaving(two.token)]
          : [removing(one.token, ids.two), removing(two.token, ids.one)];
      const statuses = (await Promise.all(both)).map(({ status }) => status);
      expect(statuses.filter((status) => status === 204)).toHaveLength(1);
      const stayed = (await request(at, { as: one.token })).status === 200 ? one : two;
      expect(await membersOf({ ...stayed, tenantId })).toMatchObject([{ role: 'owner' }]);
    }
  });
});

describe('an invitation', () => {
  test('is for one address, opens a page that uses nothing up, and works once', async () => {
    const owner = await signUpInTenant();
    const [guest, thief] = [await signUp(), await signUp()];
    const json = { email: guest.email, role: 'member' };
    await expectJson(
      request(`/tenants/${owner.tenantId}/invitations`, { as: owner.token, json }),
      201,
    );
    const token = await tokenFromMail(guest.email, '/invitations/accept');
    for (let look = 0; look < 2; look += 1) {
      const page = await request(`/invitations/accept?token=${token}`);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(await page.text()).toContain('Acme');
    }
    const accept = (as: string) => request('/invitations/accept', { as, json: { token } });
    await expectProblem(await accept(thief.token), 403, 'tenancy.invitation_for_another');
    const many = await Promise.all(Array.from({ length: 5 }, () => accept(guest.token)));
    expect(many.filter(({ status }) => status === 200)).toHaveLength(1);
    await expectProblem(await accept(guest.token), 400, 'tenancy.invalid_invitation');
    expect(await membersOf({ ...owner })).toHaveLength(2);
  });
});

describe('staff', () => {
  test('suspend a tenant for a reason, and from the next request on nobody works in it', async () => {
    const staff = (await control('administrator')).token;
    const { token, tenantId } = await signUpInTenant();
    const change = (json: object, as = staff) =>
      request(`/admin/tenants/${tenantId}`, { method: 'PATCH', as, json });
    await expectProblem(await change({ suspended: {} }), 400);
    await expectProblem(await change({ suspended: { reason: 'abuse' } }, token), 403);
    await expectJson(change({ suspended: { reason: 'abuse' } }));
    await expectProblem(await request('/projects', { as: token }), 403, 'tenancy.suspended');
    await expectJson(change({ suspended: null }));
    expect((await request('/projects', { as: token })).status).toBe(200);
    const listed = await expectJson<{ items: { id: string }[] }>(
      request('/admin/tenants?limit=100', { as: staff }),
    );
    expect(listed.items.map(({ id }) => id)).toContain(tenantId);
  });

  test('delete a user, whose memberships end, unless others would be left without an owner', async () => {
    const staff = (await control('administrator')).token;
    const owner = await signUpInTenant();
    const member = await join(owner, 'member');
    const own = await expectJson<{ id: string }>(
      request('/tenants', { as: member.token, json: { name: 'Own' } }),
      201,
    );
    const remove = (id: string, as = staff) =>
      request(`/admin/users/${id}`, { method: 'DELETE', as });
    const ownerId = await idOf(owner.token);
    await expectProblem(await remove(ownerId), 409, 'tenancy.last_owner');
    expect((await request('/projects', { as: owner.token })).status).toBe(200);
    expect((await remove(member.id)).status).toBe(204);
    await expectProblem(await request('/auth/me', { as: member.token }), 401);
    expect(await membersOf(owner)).toMatchObject([{ userId: ownerId }]);
    // Nobody else was in it.
    const gone = await expectJson(request(`/admin/tenants/${own.id}`, { as: staff }));
    expect(gone).toMatchObject({ deletionRequestedAt: expect.any(String), plan: null });
    await expectProblem(await remove(member.id), 404, 'auth.user_not_found');
    expect((await remove(ownerId)).status).toBe(204);
  });
});

describe('a tenant that its owner deletes', deletedTenant);

describe('the audit log of a tenant', () => {
  test('is for its admins and owners, and has nothing of any other tenant', async () => {
    const [owner, other] = [await signUpInTenant(), await signUpInTenant()];
    const [admin, member] = [await join(owner, 'admin'), await join(owner, 'member')];
    const log = (as: string, query = '') =>
      request(`/tenants/${owner.tenantId}/audit/events?limit=500${query}`, { as });
    const read = async (as: string, query?: string) =>
      (await expectJson<{ items: { type: string; tenantId: string }[] }>(log(as, query))).items;
    await expect
      .poll(async () => (await read(owner.token)).map(({ type }) => type), { timeout: 3000 })
      .toEqual(expect.arrayContaining(['tenancy.tenant.created', 'tenancy.invitation.accepted']));
    for (const tenantId of ['every', 'service', other.tenantId])
      for (const entry of await read(admin.token, `&tenantId=${tenantId}`))
        expect(entry.tenantId).toBe(owner.tenantId);
    await expectProblem(await log(member.token), 403, 'tenancy.role_required');
    for (const rest of ['events', 'events/export', 'checkpoints'])
      await expectProblem(
        await request(`/tenants/${owner.tenantId}/audit/${rest}`, { as: other.token }),
        404,
        'tenancy.tenant_not_found',
      );
    const exported = await request(`/tenants/${owner.tenantId}/audit/events/export`, {
      as: owner.token,
    });
    const text = await exported.text();
    expect([exported.status, text.includes(owner.tenantId)]).toEqual([200, true]);
    expect(text).not.toContain(other.tenantId);
    expect((await request('/admin/audit/events', { as: owner.token })).status).toBe(403);
  });
});

describe('a tenant that demands a second factor', () => {
  test('lets nobody work without one, who learns what to do; its owner shows one first', async () => {
    const owner = await signUpInTenant();
    const [member, leaver] = [await join(owner, 'member'), await join(owner, 'member')];
    const at = `/tenants/${owner.tenantId}`;
    const demand = (as: string, requiresMfa = true) =>
      request(`${at}/security`, { method: 'PUT', as, json: { requiresMfa } });
    await expectProblem(await demand(member.token), 403, 'tenancy.role_required');
    await expectProblem(await demand(owner.token), 403, 'auth.mfa_enrolment_required');
    expect((await request('/projects', { as: member.token })).status).toBe(200);
    const made = { as: member.token, json: { name: 'x', scopes: ['project.list'] } };
    const { key } = await expectJson<{ key: string }>(request('/auth/api-keys', made), 201);

    const { token: strong } = await enrolTotp(owner.token);
    expect(await expectJson(demand(strong))).toEqual({ requiresMfa: true });
    expect((await request('/projects', { as: strong })).status).toBe(200);
    for (const path of [
      '/projects',
      '/webhooks/endpoints',
      at,
      `${at}/members`,
      `${at}/security`,
    ]) {
      const { detail, title } = await expectProblem(
        await request(path, { as: member.token }),
        403,
        'auth.mfa_enrolment_required',
      );
      expect(`${title} ${detail}`).toMatch(/second factor/);
    }
    const withKey = await request('/projects', { as: key, headers: inTenant(owner.tenantId) });
    await expectProblem(withKey, 401, 'auth.insufficient_user_authentication');
    // Who is no member learns nothing of it.
    const { token: stranger } = await signUp();
    await expectProblem(await request(`${at}/members`, { as: stranger }), 404);
    expect((await request(`${at}/leave`, { method: 'POST', as: leaver.token })).status).toBe(204);
    const own = await createTenant(member.token, 'Own');
    expect((await request('/projects', { as: member.token })).status).toBe(200);
    expect((await request(`/tenants/${own}/members`, { as: member.token })).status).toBe(200);

    const enrolled = await enrolTotp(member.token);
    const works = { as: enrolled.token, headers: inTenant(own) };
    expect((await request('/projects', works)).status).toBe(200);
    expect((await request(`${at}/members`, { as: enrolled.token })).status).toBe(200);
    expect(await expectJson(demand(strong, false))).toEqual({ requiresMfa: false });
  });
});

describe('who is removed', () => {
  test('has no key of the tenant any more, also when they come back', async () => {
    const owner = await signUpInTenant();
    const member = await join(owner, 'member');
    const { tenantId } = owner;
    const json = { name: 'x', scopes: ['project.list'], tenantId };
    const made = request('/auth/api-keys', { as: member.token, json });
    const { key } = await expectJson<{ key: string }>(made, 201);
    expect((await request('/projects', { as: key })).status).toBe(200);
    const path = `/tenants/${tenantId}/members/${member.id}`;
    expect((await request(path, { method: 'DELETE', as: owner.token })).status).toBe(204);
    await expectProblem(await request('/projects', { as: key }), 401);
    await expectProblem(await request('/auth/api-keys', { as: member.token, json }), 403);
    await join(owner, 'member', member);
    await expectProblem(await request('/projects', { as: key }), 401);
  });

  test('or disabled has no invitation under way that admits anybody', async () => {
    const staff = (await control('administrator')).token;
    const owner = await signUpInTenant();
    const admin = await join(owner, 'admin');
    const guest = await signUp();
    const json = { email: guest.email, role: 'admin' };
    await expectJson(
      request(`/tenants/${owner.tenantId}/invitations`, { as: admin.token, json }),
      201,
    );
    const token = await tokenFromMail(guest.email, '/invitations/accept');
    await expectJson(request(`/admin/users/${admin.id}/disable`, { method: 'POST', as: staff }));
    const accepted = await request('/invitations/accept', { as: guest.token, json: { token } });
    await expectProblem(accepted, 400, 'tenancy.invalid_invitation');
    expect(await membersOf(owner)).toHaveLength(2);
  });
});
