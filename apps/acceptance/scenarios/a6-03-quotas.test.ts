import { beforeAll, expect, test } from 'vitest';
import { control, expectJson, expectProblem, request, signUpInTenant } from './client.ts';

// As the gate sets them.
const [free, pro] = [5, 8];

let admin: string;
beforeAll(async () => {
  admin = (await control('administrator')).token;
});

const create = (as: string, headers: Record<string, string> = {}) =>
  request('/projects', { as, json: { name: 'Apollo' }, headers });
const idsOf = async (as: string) =>
  (await expectJson<{ items: { id: string }[] }>(request('/projects', { as }))).items.map(
    ({ id }) => id,
  );
const setPlan = (tenantId: string, plan: string, as = admin) =>
  request(`/admin/tenants/${tenantId}`, { method: 'PATCH', as, json: { plan } });

// As many as are answered in time also on a busy machine; @svc/tenancy is tested with more.
const crowd = 24;

/** How many of a crowd of requests at once had which status. */
async function atOnce(send: (index: number) => Promise<Response>) {
  const answers = await Promise.all(Array.from({ length: crowd }, (_, index) => send(index)));
  const refused = answers.filter(({ status }) => status === 403);
  for (const answer of refused) await expectProblem(answer, 403, 'tenancy.quota_exceeded');
  return { made: answers.filter(({ status }) => status === 201).length, refused: refused.length };
}

test('of a crowd at once as many are made as the plan allows, and what is deleted makes room', async () => {
  const { token } = await signUpInTenant();
  expect(await atOnce(() => create(token))).toEqual({ made: free, refused: crowd - free });
  const ids = await idsOf(token);
  expect(ids).toHaveLength(free);
  await expectProblem(await create(token), 403, 'tenancy.quota_exceeded');
  const path = `/projects/${ids[0]}`;
  const deleting = Array.from({ length: 5 }, () => request(path, { method: 'DELETE', as: token }));
  const statuses = (await Promise.all(deleting)).map(({ status }) => status);
  // Deleted once, it makes room for one.
  expect(statuses.toSorted()).toEqual([204, 404, 404, 404, 404]);
  expect(await atOnce(() => create(token))).toEqual({ made: 1, refused: crowd - 1 });
});

test('with a key for repeats the quota is used up once, and one that was refused can be sent again', async () => {
  const { token } = await signUpInTenant();
  const key = { 'idempotency-key': crypto.randomUUID() };
  const repeats = await Promise.all(Array.from({ length: 16 }, () => create(token, key)));
  expect(new Set(repeats.map(({ status }) => status))).toEqual(new Set([201]));
  expect(await idsOf(token)).toHaveLength(1);
  const keys = Array.from({ length: crowd }, () => crypto.randomUUID());
  const keyed = (index: number) => create(token, { 'idempotency-key': keys[index] as string });
  expect(await atOnce(keyed)).toEqual({ made: free - 1, refused: crowd + 1 - free });
  const ids = await idsOf(token);
  // All of them again: those that were made are answered as before, and one of the others gets the room.
  await request(`/projects/${ids[0]}`, { method: 'DELETE', as: token });
  expect(await atOnce(keyed)).toEqual({ made: free, refused: crowd - free });
  expect(await idsOf(token)).toHaveLength(free);
});

test('a refusal, a rollback and a failure of the request use nothing up', async () => {
  const { token } = await signUpInTenant();
  for (let round = 0; round < 2 * free; round += 1)
    await expectProblem(await request('/projects', { as: token, json: { name: '' } }), 400);
  expect(await atOnce(() => create(token))).toMatchObject({ made: free });
});

test('each tenant has its own, and a larger plan counts from the next request on', async () => {
  const [one, two] = [await signUpInTenant(), await signUpInTenant()];
  expect(await atOnce(() => create(one.token))).toMatchObject({ made: free });
  expect((await create(two.token)).status).toBe(201);
  const tenant = await expectJson<{ plan: string }>(setPlan(one.tenantId, 'pro'));
  expect(tenant).toMatchObject({ id: one.tenantId, plan: 'pro', suspendedAt: null });
  expect(await atOnce(() => create(one.token))).toMatchObject({ made: pro - free });
  await expectJson(setPlan(one.tenantId, 'free'));
  await expectProblem(await create(one.token), 403, 'tenancy.quota_exceeded');
  expect(await idsOf(one.token)).toHaveLength(pro);
});

test('only those who manage tenants set plans, in a session, and of tenants that exist', async () => {
  const { token, tenantId } = await signUpInTenant();
  await expectProblem(await setPlan(tenantId, 'pro', token), 403, 'auth.access_denied');
  await expectProblem(await setPlan(tenantId, 'emperor'), 400);
  const unknown = '01900000-0000-7000-8000-00000000ffff';
  await expectProblem(await setPlan(unknown, 'pro'), 404, 'tenancy.tenant_not_found');
  const read = await expectJson(request(`/admin/tenants/${tenantId}`, { as: admin }));
  expect(read).toMatchObject({ plan: 'free' });
});
