import { beforeAll, expect, test } from 'vitest';
import {
  control,
  expectJson,
  expectProblem,
  inTenant,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';
import { createEndpoint, createProject, deliveriesTo, newPath, received } from './webhooks.ts';

let stranger: { token: string };
let foreign: { tenantId: string; token: string };
let project: { id: string; name: string };

beforeAll(async () => {
  stranger = await signUpInTenant();
  foreign = await signUpInTenant();
  project = await expectJson(
    request('/projects', { as: foreign.token, json: { name: 'Apollo' } }),
    201,
  );
});

/** What a client sees of a problem, but for the request's own id. */
async function seen(answer: Response) {
  const problem = await expectProblem(answer, 404);
  const { request_id: id, ...rest } = problem;
  const headers = Object.fromEntries(answer.headers);
  for (const name of ['x-request-id', 'date', 'ratelimit']) delete headers[name];
  return { ...rest, instance: rest.instance.replace(id, ''), headers };
}

const unknown = '01900000-0000-7000-8000-00000000ffff';

async function projectIsHidden() {
  const cases = [
    ['GET', undefined],
    ['PATCH', { name: 'Mine', version: 1 }],
    ['DELETE', undefined],
  ] as const;
  for (const [method, json] of cases) {
    const ask = (id: string) => request(`/projects/${id}`, { method, as: stranger.token, json });
    expect(await seen(await ask(project.id))).toEqual(await seen(await ask(unknown)));
    const still = await expectJson(request(`/projects/${project.id}`, { as: foreign.token }));
    expect(still).toEqual(project);
  }
  const own = await expectJson(request('/projects', { as: stranger.token }));
  expect(own).toEqual({ items: [], nextCursor: null });
}

test("another tenant's project answers as none, however it is asked for", projectIsHidden);

// Only the app's process can reach an embedded database.
if (await control('row-security/switch', { on: true }))
  test("with row-level security off the scope alone hides another tenant's project", async () => {
    await control('row-security/switch', { on: false });
    try {
      await projectIsHidden();
    } finally {
      await control('row-security/switch', { on: true });
    }
  });

test.each([
  ['GET', '', undefined],
  ['PATCH', '', { name: 'Mine' }],
  ['DELETE', '', undefined],
  ['POST', '/select', undefined],
  ['POST', '/leave', undefined],
  ['GET', '/members', undefined],
  ['GET', '/invitations', undefined],
  ['POST', '/invitations', { email: 'a@example.test', role: 'member' }],
] as const)('%s of another tenant%s answers as for none', async (method, path, json) => {
  const ask = (id: string) =>
    request(`/tenants/${id}${path}`, { method, as: stranger.token, json });
  expect(await seen(await ask(foreign.tenantId))).toEqual(await seen(await ask(unknown)));
});

test("another tenant's webhooks answer as none, and stay as they are", async () => {
  const own = await signUpInTenant();
  const path = newPath();
  const { endpoint } = await createEndpoint(own.token, path);
  await createProject(own.token);
  await received(path, 1);
  const [delivery] = await deliveriesTo(own.token, endpoint.id);
  const before = await secretsOf(own.token, endpoint.id);
  const cases = [
    ['GET', 'endpoints', endpoint.id, '', undefined],
    ['PATCH', 'endpoints', endpoint.id, '', { isEnabled: false }],
    ['DELETE', 'endpoints', endpoint.id, '', undefined],
    ['GET', 'endpoints', endpoint.id, '/secrets', undefined],
    ['POST', 'endpoints', endpoint.id, '/rotate', { overlapSeconds: 0 }],
    ['POST', 'endpoints', endpoint.id, '/test', undefined],
    ['GET', 'deliveries', delivery?.id ?? '', '', undefined],
    ['POST', 'deliveries', delivery?.id ?? '', '/replay', undefined],
  ] as const;
  for (const [method, list, id, rest, json] of cases) {
    const ask = (one: string) =>
      request(`/webhooks/${list}/${one}${rest}`, { method, as: stranger.token, json });
    expect(await seen(await ask(id))).toEqual(await seen(await ask(unknown)));
  }
  const by = `endpointId=${endpoint.id}`;
  const nothing = { items: [], next: null };
  const read = (of: string, as: string) => expectJson(request(`/webhooks/${of}`, { as }));
  expect(await read('endpoints', stranger.token)).toEqual(nothing);
  expect(await read(`deliveries?${by}`, stranger.token)).toEqual(nothing);
  const json = { endpointId: endpoint.id };
  const replayed = request('/webhooks/replay', { as: stranger.token, json });
  expect(await expectJson(replayed, 202)).toEqual({ replayed: 0, hasMore: false });
  const stats = await read(`stats?${by}`, stranger.token);
  expect(stats).toMatchObject({ deliveries: { delivered: 0 }, attempts: { succeeded: 0 } });

  const still = await read(`endpoints/${endpoint.id}`, own.token);
  expect(still).toMatchObject({ ...endpoint, status: 'enabled' });
  expect(await secretsOf(own.token, endpoint.id)).toEqual(before);
  expect(await received(path, 1)).toHaveLength(1);
});

const secretsOf = (as: string, id: string) =>
  expectJson(request(`/webhooks/endpoints/${id}/secrets`, { as }));

test('to name another tenant is as to name none', async () => {
  const { token } = await signUp();
  const ask = (headers: Record<string, string>) => request('/projects', { as: token, headers });
  const none = await seen(await ask({}));
  expect(none).toMatchObject({ code: 'tenancy.tenant_not_found' });
  for (const id of [foreign.tenantId, unknown, 'no id', foreign.tenantId.toUpperCase()])
    expect(await seen(await ask(inTenant(id)))).toEqual(none);
});
