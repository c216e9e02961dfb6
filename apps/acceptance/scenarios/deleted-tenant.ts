import { expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, expectProblem, request, signUpInTenant } from './client.ts';
import { exportOnceReady, requestExport } from './jobs.ts';
import { join, type Person } from './members.ts';
import { createEndpoint, createProject, newPath, onlyDelivery, received } from './webhooks.ts';

/** What becomes of a tenant that its owner deletes. */
export function deletedTenant() {
  const remove = ({ token: as, tenantId }: Person) =>
    expectJson<{ dueAt: string }>(request(`/tenants/${tenantId}`, { method: 'DELETE', as }), 202);
  const staff = async () => (await control('administrator')).token;
  const asStaff = async (path: string, method = 'GET') =>
    request(`/admin/tenants/${path}`, { method, as: await staff() });
  const restore = ({ tenantId }: Person, as: string, at = '/tenants') =>
    request(`${at}/${tenantId}/restore`, { method: 'POST', as });

  interface Deletion {
    readonly dueAt: string;
    readonly receipt: {
      readonly sha256: string;
      readonly completedAt: string;
      readonly rows: Readonly<Record<string, number>>;
    } | null;
  }
  const deletionOf = async ({ tenantId }: Person) =>
    expectJson<Deletion>(asStaff(`${tenantId}/deletion`));

  /** What the tenant's audit log has of a type, once it has something. */
  const logged = (type: string, tenantId: string) =>
    waitFor(`the audit log to have ${type}`, 3000, async () => {
      const path = `/admin/audit/events?type=${type}&tenantId=${tenantId}`;
      const { items } = await expectJson<{ items: object[] }>(request(path, { as: await staff() }));
      return items.length === 0 ? undefined : items;
    });

  /** Somebody at work, with something of everything. */
  async function atWork() {
    const owner = await signUpInTenant();
    const { token: as, tenantId } = owner;
    const path = newPath();
    const { endpoint } = await createEndpoint(as, path);
    const project = await createProject(as);
    await onlyDelivery(as, endpoint.id, 'delivered');
    await exportOnceReady(as, (await requestExport(as)).id);
    const json = { name: 'ci', scopes: ['project.list'], tenantId };
    const { key } = await expectJson<{ key: string }>(request('/auth/api-keys', { as, json }), 201);
    return { ...owner, path, project, key };
  }

  /** All that an owner sees. */
  async function stateOf({
    token: as,
    tenantId,
    project,
    key,
  }: Awaited<ReturnType<typeof atWork>>) {
    const paths = ['members', 'invitations'].map((of) => `/tenants/${tenantId}/${of}`);
    paths.push(`/projects/${project.id}`, '/webhooks/endpoints', '/webhooks/deliveries');
    const seen = await Promise.all(paths.map((path) => expectJson(request(path, { as }))));
    return [...seen, await expectJson(request('/projects', { as: key }))];
  }

  test('is frozen at once, and comes back as it was by an owner, or by staff', async () => {
    const owner = await signUpInTenant();
    const admin = await join(owner, 'admin');
    const project = await createProject(owner.token);
    const { dueAt } = await remove(owner);
    for (const { token: as } of [owner, admin])
      for (const path of [`/tenants/${owner.tenantId}`, '/projects', '/webhooks/endpoints'])
        await expectProblem(await request(path, { as }), 404, 'tenancy.tenant_not_found');
    expect(await expectJson(asStaff(owner.tenantId))).toMatchObject({
      deletionRequestedAt: expect.any(String),
    });
    expect(await deletionOf(owner)).toMatchObject({ dueAt, startedAt: null, receipt: null });
    await expectProblem(await restore(owner, admin.token), 403, 'tenancy.role_required');
    expect((await restore(owner, owner.token)).status).toBe(204);
    await expectJson(request(`/projects/${project.id}`, { as: admin.token }));
    await expectProblem(await asStaff(`${owner.tenantId}/deletion`), 404);

    await remove(owner);
    await expectProblem(await restore(owner, owner.token, '/admin/tenants'), 403);
    await expectJson(restore(owner, await staff(), '/admin/tenants'));
    await expectJson(request(`/projects/${project.id}`, { as: owner.token }));
  });

  test(
    'leaves nothing after its grace but a receipt: keys and webhooks are dead, other tenants as they were',
    { timeout: 60_000 },
    async () => {
      const [gone, other] = [await atWork(), await atWork()];
      await join(gone, 'member');
      const before = await stateOf(other);
      const { dueAt } = await remove(gone);
      const { receipt } = await waitFor('the tenant to be deleted', 25_000, async () => {
        const deletion = await deletionOf(gone);
        return deletion.receipt === null ? undefined : deletion;
      });
      expect(receipt?.rows).toMatchObject({
        'app.projects': 1,
        'app.project_exports': 1,
        'svc_auth.api_keys': 1,
        'svc_tenancy.memberships': 2,
        'svc_tenancy.tenants': 1,
        'svc_tenancy.usage': 1,
        'svc_webhooks.endpoints': 1,
        'svc_webhooks.secrets': 1,
        'svc_webhooks.events': 1,
        'svc_webhooks.deliveries': 1,
        'svc_webhooks.attempts': 1,
      });
      expect(Date.parse(receipt?.completedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(dueAt));
      const { token: as, tenantId, project, key } = gone;
      for (const path of [`/projects/${project.id}`, '/webhooks/endpoints', '/webhooks/deliveries'])
        await expectProblem(await request(path, { as, headers: { 'x-tenant-id': tenantId } }), 404);
      await expectProblem(await request('/projects', { as: key }), 401);
      expect(await expectJson(request('/auth/api-keys', { as }))).toEqual({ items: [] });
      for (const answer of [
        asStaff(tenantId),
        restore(gone, as),
        asStaff(`${tenantId}/restore`, 'POST'),
      ])
        await expectProblem(await answer, 404, 'tenancy.tenant_not_found');
      expect(await logged('tenancy.tenant.deleted', tenantId)).toMatchObject([
        { details: { sha256: receipt?.sha256 } },
      ]);
      expect(await logged('auth.api_key.revoked', tenantId)).toMatchObject([
        { actor: { type: 'system' } },
      ]);

      expect(await stateOf(other)).toEqual(before);
      await createProject(other.token);
      expect(await received(other.path, 2)).toHaveLength(2);
      expect(await received(gone.path, 1)).toHaveLength(1);
    },
  );
}
