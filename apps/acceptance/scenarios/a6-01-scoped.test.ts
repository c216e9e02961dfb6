import { expect, test } from 'vitest';
import {
  createTenant,
  expectJson,
  expectProblem,
  inTenant,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';
import { idOf } from './members.ts';

interface Project {
  id: string;
  tenantId: string;
  createdBy: string;
}

const list = async (as: string, headers = {}) =>
  (await expectJson<{ items: Project[] }>(request('/projects', { as, headers }))).items;
const create = (as: string, json: object = {}, headers = {}) =>
  request('/projects', { as, json: { name: 'Apollo', ...json }, headers });

test('a new person has no tenant, and the problem says what to do', async () => {
  const { token } = await signUp();
  for (const answer of [await request('/projects', { as: token }), await create(token)]) {
    const { detail } = await expectProblem(answer, 404, 'tenancy.tenant_not_found');
    expect(detail).toMatch(/select one.*X-Tenant-Id.*creates one/);
  }
  await createTenant(token);
  expect(await list(token)).toEqual([]);
});

test('a project gets the tenant of the request and its creator, whatever the body says', async () => {
  const [own, other] = [await signUpInTenant(), await signUpInTenant()];
  const made = await expectJson<Project>(create(own.token), 201);
  expect(made).toMatchObject({ tenantId: own.tenantId, createdBy: await idOf(own.token) });
  for (const field of ['tenantId', 'tenant_id', 'tenant', 'createdBy', 'created_by', 'id'])
    await expectProblem(await create(own.token, { [field]: other.tenantId }), 400);
  const path = `/projects/${made.id}`;
  for (const field of ['tenantId', 'tenant_id', 'createdBy']) {
    const json = { version: 1, [field]: other.tenantId };
    await expectProblem(await request(path, { method: 'PATCH', as: own.token, json }), 400);
  }
  expect(await list(own.token)).toEqual([made]);
  expect(await list(other.token)).toEqual([]);
});

test('a tenant is named by X-Tenant-Id where none is selected; another than the selected one is refused, and nothing done', async () => {
  const { token, tenantId } = await signUpInTenant();
  const { id: second } = await expectJson<{ id: string }>(
    request('/tenants', { as: token, json: { name: 'Second' } }),
    201,
  );
  const mismatch = [409, 'tenancy.tenant_mismatch'] as const;
  await expectProblem(await create(token, {}, inTenant(second)), ...mismatch);
  expect(await expectJson<Project>(create(token, {}, inTenant(tenantId)), 201)).toMatchObject({
    tenantId,
  });
  const scopes = ['project.list'];
  const made = { as: token, json: { name: 'x', scopes } };
  const { key } = await expectJson<{ key: string }>(request('/auth/api-keys', made), 201);
  expect(await list(key, inTenant(second))).toEqual([]);
  expect(await list(key, inTenant(tenantId))).toHaveLength(1);
  const { token: elsewhere } = await signUpInTenant();
  // Selected is their own; whether there is the other is not told.
  for (const id of [tenantId, crypto.randomUUID()])
    await expectProblem(
      await request('/projects', { as: elsewhere, headers: inTenant(id) }),
      ...mismatch,
    );
  const { token: nowhere } = await signUp();
  await expectProblem(
    await request('/projects', { as: nowhere, headers: inTenant(tenantId) }),
    404,
    'tenancy.tenant_not_found',
  );
});

test('of one person with two tenants each has its own list, and a cursor is of one of them', async () => {
  const { token, tenantId: first } = await signUpInTenant();
  const one = [await expectJson<Project>(create(token), 201)];
  one.unshift(await expectJson<Project>(create(token), 201));
  const page = await expectJson<{ nextCursor: string }>(
    request('/projects?limit=1', { as: token }),
  );
  const second = await createTenant(token, 'Second');
  expect(await list(token)).toEqual([]);
  const two = await expectJson<Project>(create(token), 201);
  expect(two.tenantId).toBe(second);
  expect(await list(token)).toEqual([two]);
  await expectProblem(await request(`/projects?cursor=${page.nextCursor}`, { as: token }), 400);
  await expectJson(request(`/tenants/${first}/select`, { method: 'POST', as: token }));
  expect(await list(token)).toEqual(one);
});

test('a key for repeats is of a tenant: the same in another makes another project', async () => {
  const { token } = await signUpInTenant();
  const key = { 'idempotency-key': crypto.randomUUID() };
  const first = await expectJson<Project>(create(token, {}, key), 201);
  const second = await createTenant(token, 'Second');
  const other = await expectJson<Project>(create(token, {}, key), 201);
  expect(other.id).not.toBe(first.id);
  expect(other.tenantId).toBe(second);
});
