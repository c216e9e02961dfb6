import { beforeAll, expect, test } from 'vitest';
import {
  control,
  expectJson,
  expectProblem,
  inTenant,
  newAddress,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';

// As the gate sets them: requests for projects in a minute, by the plan of the tenant.
const [free, pro] = [300, 400];

let admin: string;
beforeAll(async () => {
  admin = (await control('administrator')).token;
});

const setPlan = (tenantId: string, plan: string) =>
  expectJson(request(`/admin/tenants/${tenantId}`, { method: 'PATCH', as: admin, json: { plan } }));
const list = (as: string, headers?: Record<string, string>) =>
  request('/projects?limit=1', { as, ...(headers && { headers }) });
/** How many of so many requests, ten at once, had which status. */
async function statuses(count: number, send: () => Promise<Response>) {
  const counts: Record<number, number> = {};
  for (let sent = 0; sent < count; sent += 10)
    for (const { status } of await Promise.all(Array.from({ length: 10 }, send)))
      counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

test('the plan of a tenant says how often it may come, from the next request on, whoever of it comes', async () => {
  const [one, other] = [await signUpInTenant(), await signUpInTenant()];
  const first = await list(one.token);
  expect(first.headers.get('ratelimit-policy')).toContain(`"tenant";q=${free};w=60`);
  await setPlan(other.tenantId, 'pro');
  expect((await list(other.token)).headers.get('ratelimit-policy')).toContain(
    `"tenant";q=${pro};w=60`,
  );

  // From as many addresses as it likes, and 10 more than are left.
  expect(await statuses(free + 10, () => list(one.token))).toEqual({
    200: free - 1,
    429: 11,
  });
  const refused = await list(one.token);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(await expectProblem(refused, 429, 'ratelimit.exceeded')).toMatchObject({
    'violated-policies': ['tenant'],
  });
  // Nobody else's is touched, nor what is not about projects.
  expect((await list(other.token)).status).toBe(200);
  expect((await request('/auth/me', { as: one.token })).status).toBe(200);

  // What was used stays used under the larger plan.
  await setPlan(one.tenantId, 'pro');
  expect(await statuses(pro - free + 10, () => list(one.token))).toEqual({
    200: pro - free,
    429: 10,
  });
  await setPlan(one.tenantId, 'free');
  expect((await list(one.token)).status).toBe(429);
});

test('who names a tenant of others does not use up what is theirs', async () => {
  const [{ token, tenantId }, stranger] = [await signUpInTenant(), await signUp(newAddress())];
  expect(await statuses(free + 20, () => list(stranger.token, inTenant(tenantId)))).toEqual({
    404: free + 20,
  });
  expect((await list(token)).status).toBe(200);
});
