import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, expectProblem, request, signUpInTenant } from './client.ts';
import { join } from './members.ts';
import { createEndpoint, createProject, newPath, received } from './webhooks.ts';

interface Event {
  type: string;
  version: number;
  timestamp: string;
  data: { id: string; name?: string; version?: number };
}

type Received = Awaited<ReturnType<typeof received>>[number];

/** The event, as the library of Standard Webhooks lets it through. */
const verify = (secret: string, { headers, body }: Received) =>
  new Webhook(secret).verify(body, headers as Record<string, string>) as Event;

describe('the library that verifies is right', () => {
  // The vector of the Standard Webhooks repository.
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
  const id = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
  const body = '{"test": 2432232314}';

  test('it signs the published vector as published', () => {
    const signed = new Webhook(secret).sign(id, new Date(1_614_265_330_000), body);
    expect(signed).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  test('it refuses another body, another id, another secret and an old time', async () => {
    const own = new Webhook(secret);
    const headersAt = (time: Date) => ({
      'webhook-id': id,
      'webhook-timestamp': `${Math.floor(time.getTime() / 1000)}`,
      'webhook-signature': own.sign(id, time, body),
    });
    const headers = headersAt(new Date());
    expect(own.verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => own.verify(`${body} `, headers)).toThrow();
    expect(() => own.verify(body, { ...headers, 'webhook-id': 'msg_other' })).toThrow();
    expect(() => own.verify(body, headersAt(new Date(Date.now() - 600_000)))).toThrow();
    expect(() => new Webhook('whsec_AAAAAAAAAAAAAAAAAAAAAAAA').verify(body, headers)).toThrow();
  });
});

test('what happens to a project is told once, signed, and in order where that is wanted', async () => {
  const { token } = await signUpInTenant();
  const path = newPath();
  const { secret } = await createEndpoint(token, path, { isOrdered: true });
  expect(secret).toMatch(/^whsec_/);
  const { id } = await createProject(token);
  const change = { name: 'Gemini', version: 1 };
  await expectJson(request(`/projects/${id}`, { method: 'PATCH', as: token, json: change }));
  const deleted = await request(`/projects/${id}`, { method: 'DELETE', as: token });
  expect(deleted.status).toBe(204);
  const webhooks = await received(path, 3);
  const events = webhooks.map((webhook) => verify(secret, webhook));
  expect(events).toMatchObject([
    { type: 'project.created', version: 1, data: { id, name: 'Apollo', version: 1 } },
    { type: 'project.changed', version: 1, data: { id, name: 'Gemini', version: 2 } },
    { type: 'project.deleted', version: 1, data: { id } },
  ]);
  expect(new Set(webhooks.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
  for (const { headers } of webhooks) expect(headers['content-type']).toBe('application/json');
});

test('what is refused is told to nobody, and other tenants are told nothing', async () => {
  const [own, other] = [await signUpInTenant(), await signUpInTenant()];
  const [path, elsewhere] = [newPath(), newPath()];
  const { secret } = await createEndpoint(own.token, path);
  await createEndpoint(other.token, elsewhere);
  const { id } = await createProject(own.token);
  const patch = (json: object) =>
    request(`/projects/${id}`, { method: 'PATCH', as: own.token, json });
  await expectProblem(await patch({ name: 'Stale', version: 7 }), 409);
  await expectProblem(await patch({ name: '', version: 1 }), 400);
  // Five is what the plan allows.
  for (let made = 1; made < 5; made += 1) await createProject(own.token);
  const refused = await request('/projects', { as: own.token, json: { name: 'One too many' } });
  await expectProblem(refused, 403, 'tenancy.quota_exceeded');
  const key = { 'idempotency-key': crypto.randomUUID() };
  await request(`/projects/${id}`, { method: 'DELETE', as: own.token });
  for (let round = 0; round < 3; round += 1) {
    const again = { as: own.token, json: { name: 'Once' }, headers: key };
    expect((await request('/projects', again)).status).toBe(201);
  }
  // Told last, so that whatever was told before it would be here too.
  const { id: last } = await createProject(other.token);
  await received(elsewhere, 1);
  const events = (await received(path, 7)).map((webhook) => verify(secret, webhook));
  expect(events.map(({ type }) => type).toSorted()).toEqual([
    ...Array.from({ length: 6 }, () => 'project.created'),
    'project.deleted',
  ]);
  const [told, ...more] = await received(elsewhere, 1);
  expect(more).toEqual([]);
  expect(JSON.parse(told?.body ?? '')).toMatchObject({ data: { id: last } });
});

test('endpoints get the events that they asked for, with their own headers and a signature of their own', async () => {
  const { token } = await signUpInTenant();
  const [one, two] = [newPath(), newPath()];
  const headers = { 'x-team': 'blue' };
  const first = await createEndpoint(token, one, { eventTypes: ['project.deleted'], headers });
  const second = await createEndpoint(token, two, { eventTypes: ['project.*'], scheme: 'v1a' });
  expect(second.secret).toMatch(/^whpk_/);
  const { id } = await createProject(token);
  await request(`/projects/${id}`, { method: 'DELETE', as: token });
  const [deleted] = await received(one, 1);
  expect(verify(first.secret, deleted as Received)).toMatchObject({ type: 'project.deleted' });
  expect(deleted?.headers).toMatchObject(headers);
  expect(JSON.stringify(first)).not.toContain('blue');
  const both = await received(two, 2);
  for (const webhook of both) {
    expect(webhook.headers['webhook-signature']).toMatch(/^v1a,/);
    expect(webhook.headers).not.toHaveProperty('x-team');
  }
  expect(await received(one, 1)).toHaveLength(1);
});

test('endpoints are for admins and owners of the tenant, and for keys that may manage webhooks', async () => {
  const owner = await signUpInTenant();
  const [member, admin] = [await join(owner, 'member'), await join(owner, 'admin')];
  const { url } = await control('hooks/places');
  const json = { url: `${url}${newPath()}` };
  const create = (as?: string) =>
    request('/webhooks/endpoints', { json, ...(as !== undefined && { as }) });
  await expectProblem(await create(), 401);
  await expectProblem(await create(member.token), 403, 'auth.access_denied');
  for (const path of ['/endpoints', '/deliveries', '/stats', '/event-types'])
    await expectProblem(await request(`/webhooks${path}`, { as: member.token }), 403);
  await expectJson(create(admin.token), 201);
  const keyFor = async (as: string, scope: string) => {
    const made = request('/auth/api-keys', { as, json: { name: 'Hooks', scopes: [scope] } });
    return (await expectJson<{ key: string }>(made, 201)).key;
  };
  const withKey = (key: string) =>
    request('/webhooks/endpoints', { json, as: key, headers: { 'x-tenant-id': owner.tenantId } });
  await expectProblem(await withKey(await keyFor(owner.token, 'project.list')), 403);
  await expectProblem(await withKey(await keyFor(member.token, 'webhook.manage')), 403);
  await expectJson(withKey(await keyFor(owner.token, 'webhook.manage')), 201);
});

test('killed in the middle of changes, the app tells every change that was committed, and no other', async () => {
  const { token } = await signUpInTenant();
  const path = newPath();
  const { endpoint, secret } = await createEndpoint(token, path);
  const ids: string[] = [];
  for (let made = 0; made < 5; made += 1) ids.push((await createProject(token)).id);
  const changeOnAndOn = async (id: string) => {
    for (let version = 1; ; version += 1) {
      const json = { name: `Version ${version + 1}`, version };
      const answer = await request(`/projects/${id}`, { method: 'PATCH', as: token, json });
      if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    }
  };
  const changing = Promise.allSettled(ids.map(changeOnAndOn));
  await received(path, 15);
  await control('app/terminate', { signal: 'SIGKILL' });
  await changing;
  await control('app/start', {});

  const committed: string[] = [];
  for (const id of ids) {
    const { version } = await expectJson<{ version: number }>(
      request(`/projects/${id}`, { as: token }),
    );
    for (let each = 1; each <= version; each += 1) committed.push(`${id} ${each}`);
  }
  await waitFor('all to be delivered', 25_000, async () => {
    const query = request(`/webhooks/stats?endpointId=${endpoint.id}`, { as: token });
    const { deliveries } = await expectJson<{ deliveries: { pending: number } }>(query);
    return deliveries.pending === 0 ? true : undefined;
  });
  // A try whose process was killed is made again: the same event, under the same id.
  const told = new Map(
    (await received(path, 0)).map((webhook) => {
      const { data } = verify(secret, webhook);
      return [webhook.headers['webhook-id'], `${data.id} ${data.version}`];
    }),
  );
  expect([...told.values()].toSorted()).toEqual(committed.toSorted());
}, 60_000);
