import { expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import {
  createTenant,
  expectJson,
  expectProblem,
  inTenant,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';

interface ApiKey {
  id: string;
  key: string;
  name: string;
  scopes: string[];
  lastUsedAt: string | null;
}

const make = async (as: string, scopes: string[], expiresIn?: string) =>
  expectJson<ApiKey>(
    request('/auth/api-keys', { as, json: { name: 'Nightly import', scopes, expiresIn } }),
    201,
  );
const list = async (as: string) =>
  (await expectJson<{ items: ApiKey[] }>(request('/auth/api-keys', { as }))).items;
const projects = (as: string, tenantId: string) =>
  request('/projects', { as, headers: inTenant(tenantId) });

test('a key is shown once, works in the Authorization header, and only with its scopes', async () => {
  const { token, tenantId } = await signUpInTenant();
  const made = await make(token, ['project.list']);
  expect(made.key).toMatch(/^[a-z]+_[0-9A-Za-z]+_[0-9A-Za-z]+$/);
  expect((await projects(made.key, tenantId)).status).toBe(200);
  await expectProblem(
    await request('/projects', { as: made.key, headers: inTenant(tenantId), json: { name: 'x' } }),
    403,
    'auth.access_denied',
  );
  const listed = await list(token);
  expect(listed).toMatchObject([{ id: made.id, scopes: ['project.list'] }]);
  expect(listed[0]?.lastUsedAt).not.toBeNull();
  expect(JSON.stringify(listed)).not.toContain(made.key.split('_')[2]);
});

test('it works nowhere else: not in a query, not as a cookie, not for the account itself', async () => {
  const { token } = await signUp();
  const { key } = await make(token, ['project.list']);
  for (const query of ['api_key', 'access_token', 'token'])
    await expectProblem(await request(`/projects?${query}=${key}`), 401);
  await expectProblem(
    await request('/projects', { headers: { cookie: `__Host-sid=${key}` } }),
    401,
  );
  for (const path of ['/auth/me', '/auth/sessions', '/auth/api-keys', '/auth/mfa', '/admin/users'])
    await expectProblem(await request(path, { as: key }), 401);
  await expectProblem(
    await request('/auth/api-keys', { as: key, json: { name: 'x', scopes: ['project.list'] } }),
    401,
  );
});

test('nobody makes a key for more than they may, or for what does not exist', async () => {
  const { token } = await signUp();
  const ask = (scopes: string[]) =>
    request('/auth/api-keys', { as: token, json: { name: 'x', scopes } });
  await expectProblem(await ask(['user.write']), 403, 'auth.access_denied');
  await expectProblem(await ask(['project.fly']), 400);
  await expectProblem(await ask([]), 400);
  expect(await list(token)).toEqual([]);
});

test('a key ends when it is revoked, and at its time', async () => {
  const { token, tenantId } = await signUpInTenant();
  const [revoked, short] = [
    await make(token, ['project.list']),
    await make(token, ['project.list'], '1s'),
  ];
  const gone = await request(`/auth/api-keys/${revoked.id}`, { method: 'DELETE', as: token });
  expect(gone.status).toBe(204);
  await expectProblem(await projects(revoked.key, tenantId), 401, 'auth.unauthenticated');
  await waitFor('the key to expire', 5000, async () =>
    (await projects(short.key, tenantId)).status === 401 ? true : undefined,
  );
});

test('a rotated key works on beside the new one until its overlap is over', async () => {
  const { token, tenantId } = await signUpInTenant();
  const old = await make(token, ['project.list']);
  const rotate = (overlap: string) =>
    request(`/auth/api-keys/${old.id}/rotate`, { as: token, json: { overlap } });
  const next = await expectJson<ApiKey>(rotate('1s'), 201);
  expect(next).toMatchObject({ name: old.name, scopes: old.scopes });
  expect((await projects(next.key, tenantId)).status).toBe(200);
  await waitFor('the former key to end', 5000, async () =>
    (await projects(old.key, tenantId)).status === 401 ? true : undefined,
  );
  expect((await projects(next.key, tenantId)).status).toBe(200);
  await expectProblem(await rotate('1s'), 404, 'auth.api_key_not_found');
});

test("another person's key can be neither seen nor revoked", async () => {
  const [owner, stranger] = [await signUpInTenant(), await signUp()];
  const { id, key } = await make(owner.token, ['project.list']);
  expect(await list(stranger.token)).toEqual([]);
  await expectProblem(
    await request(`/auth/api-keys/${id}`, { method: 'DELETE', as: stranger.token }),
    404,
    'auth.api_key_not_found',
  );
  expect((await projects(key, owner.tenantId)).status).toBe(200);
});

test('a key that was made up or mistyped is refused', async () => {
  const { token, tenantId } = await signUpInTenant();
  const { key } = await make(token, ['project.list']);
  const last = key.at(-1) === 'a' ? 'b' : 'a';
  for (const wrong of [key.slice(0, -1) + last, key.slice(0, -1), `${key}a`, key.toUpperCase()])
    await expectProblem(await projects(wrong, tenantId), 401, 'auth.unauthenticated');
});

test('a key works in the tenant that it has selected', async () => {
  const { token, tenantId } = await signUpInTenant();
  const { key } = await make(token, ['project.list']);
  await expectProblem(await request('/projects', { as: key }), 404, 'tenancy.tenant_not_found');
  const selected = await request(`/tenants/${tenantId}/select`, { method: 'POST', as: key });
  expect(selected.status).toBe(200);
  expect((await request('/projects', { as: key })).status).toBe(200);
  // It is for its owner's work, not for their place in the tenant.
  for (const path of ['/tenants', `/tenants/${tenantId}`, `/tenants/${tenantId}/members`])
    await expectProblem(await request(path, { as: key }), 401);
});

test('a key of one tenant works there, and nowhere else', async () => {
  const [owner, stranger] = [await signUpInTenant(), await signUpInTenant()];
  const ask = (tenantId: string) =>
    request('/auth/api-keys', {
      as: owner.token,
      json: { name: 'x', scopes: ['project.list'], tenantId },
    });
  await expectProblem(await ask(stranger.tenantId), 403, 'auth.access_denied');
  const { key } = await expectJson<ApiKey>(ask(owner.tenantId), 201);
  expect((await request('/projects', { as: key })).status).toBe(200);
  const second = await createTenant(owner.token, 'Second');
  expect((await request('/projects', { as: key })).status).toBe(200);
  for (const other of [second, stranger.tenantId])
    await expectProblem(await projects(key, other), 409, 'tenancy.tenant_mismatch');
});
