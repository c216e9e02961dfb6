import { testClock } from '@svc/core/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import {
  byAddress,
  byRoute,
  byTenant,
  byUser,
  keyBy,
  rateLimit,
  type RateLimitMiddlewareOptions,
  type RouteLimit,
} from '../src/hono.ts';
import { createRateLimit, defineLimit, memoryStore } from '../src/index.ts';

const limit = defineLimit({ name: 'api', algorithm: 'sliding_window', quota: 2, window: '10s' });

/** An app whose requests come from the address that they say; in the app a trusted proxy would have said it. */
function openApp(
  limits: RateLimitMiddlewareOptions['limits'],
  options: Partial<RateLimitMiddlewareOptions> = {},
) {
  const clock = testClock();
  const service = createRateLimit({ store: memoryStore({ clock }), clock });
  const app = new Hono<HttpEnv>();
  stack(app);
  app.use(async (c, next) => {
    c.set('clientAddress', c.req.header('x-test-address') ?? '0.0.0.0');
    const userId = c.req.header('x-test-user');
    if (userId !== undefined) c.set('principal' as never, { userId } as never);
    await next();
  });
  app.use(rateLimit(service, { limits, clock, ...options }));
  app.get('/projects/:id', (c) => c.text('ok'));
  app.get('/broken', () => {
    throw new Error('bug');
  });
  app.get('/proxied', () => Response.redirect('https://example.com/'));
  const get = (path: string, headers: Record<string, string> = {}) =>
    app.request(path, { headers: { 'x-test-address': '192.0.2.1', ...headers } });
  return { app, clock, service, get };
}

const byClient: RouteLimit = { limit, key: byAddress() };

test('over the limit the answer is a 429 problem that says when to come back, and then it passes', async () => {
  const { get, clock } = openApp([byClient]);
  const first = await get('/projects/1');
  expect(first.status).toBe(200);
  expect(first.headers.get('ratelimit-policy')).toBe('"api";q=2;w=10');
  expect(first.headers.get('ratelimit')).toBe('"api";r=1;t=10');
  await clock.advance('1500ms');
  await get('/projects/1');
  const refused = await get('/projects/1');
  expect(refused.status).toBe(429);
  expect(refused.headers.get('retry-after')).toBe('9');
  expect(refused.headers.get('ratelimit')).toBe('"api";r=0;t=9');
  expect(refused.headers.get('content-type')).toBe('application/problem+json');
  expect(await refused.json()).toMatchObject({
    code: 'ratelimit.exceeded',
    status: 429,
    violatedPolicies: ['api'],
    'violated-policies': ['api'],
    problemType: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  });
  await clock.advance('9s');
  expect((await get('/projects/1')).status).toBe(200);
});

test('errors, unknown paths and answers that cannot be changed carry the headers, too', async () => {
  const { get } = openApp([{ ...byClient, limit: { ...limit, quota: 9 } }]);
  for (const [path, status] of [
    ['/broken', 500],
    ['/nowhere', 404],
    ['/proxied', 302],
  ] as const) {
    const answer = await get(path);
    expect(answer.status).toBe(status);
    expect(answer.headers.get('ratelimit')).toMatch(/^"api";r=\d;t=\d+$/);
  }
});

test.each([
  ['legacy', ['2', '1', '1767225610', null]],
  ['both', ['2', '1', '1767225610', '"api";r=1;t=10']],
  [false, [null, null, null, null]],
] as const)('headers: %s', async (headers, expected) => {
  const { get } = openApp([byClient], { headers });
  const answer = await get('/projects/1');
  const names = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit'];
  expect(names.map((name) => answer.headers.get(name))).toEqual(expected);
});

test('limits of outer and inner middleware are told together', async () => {
  const { app, service, get } = openApp([byClient]);
  const inner = defineLimit({ name: 'inner', algorithm: 'gcra', quota: 60, window: '1m' });
  app.get('/inner', rateLimit(service, { limits: [{ limit: inner, key: byAddress() }] }), (c) =>
    c.json(c.get('rateLimits' as never)),
  );
  const answer = await get('/inner');
  expect(answer.headers.get('ratelimit')).toBe('"api";r=1;t=10, "inner";r=59;t=1');
  expect(await answer.json()).toMatchObject([{ name: 'api' }, { name: 'inner' }]);
});

test('a limit resolved for each request is honoured: the tenant override', async () => {
  const quotas: Record<string, number> = { small: 1, large: 3 };
  const { get } = openApp([
    {
      limit: async (c) => ({ ...limit, quota: quotas[c.req.header('x-test-user') ?? ''] ?? 0 }),
      key: byUser(),
    },
  ]);
  const passed = async (user: string) => {
    let count = 0;
    while ((await get('/projects/1', { 'x-test-user': user })).status === 200) count += 1;
    return count;
  };
  expect(await passed('small')).toBe(1);
  expect(await passed('large')).toBe(3);
});

test('limits may be chosen by the request, none included, and cost what it says', async () => {
  const { get } = openApp(async (c) =>
    c.req.path === '/broken'
      ? []
      : [{ ...byClient, cost: () => Number(c.req.param('id') ?? c.req.query('cost') ?? 1) }],
  );
  expect((await get('/broken')).headers.get('ratelimit')).toBeNull();
  expect((await get('/projects/1?cost=2')).headers.get('ratelimit')).toBe('"api";r=0;t=10');
  expect((await get('/projects/1?cost=3')).status).toBe(413);
});

describe('whom a request counts for', () => {
  test('IPv6 counts by its /64, and an unknown address is no bucket', async () => {
    const { get } = openApp([byClient]);
    const from = async (address: string) =>
      (await get('/projects/1', { 'x-test-address': address })).status;
    expect(await from('2001:db8:1:2::1')).toBe(200);
    expect(await from('2001:db8:1:2:ffff::2')).toBe(200);
    expect(await from('2001:db8:1:2::3')).toBe(429);
    expect(await from('2001:db8:1:3::1')).toBe(200);
    expect(await from('0.0.0.0')).toBe(500);
    expect(await from('nonsense')).toBe(500);
  });

  test('a limit without a key is left out where that is said, and only there', async () => {
    const { get } = openApp([
      byClient,
      { limit: { ...limit, name: 'user' }, key: byUser(), whenMissing: 'skip' },
    ]);
    expect((await get('/projects/1')).headers.get('ratelimit')).toBe('"api";r=1;t=10');
    const signedIn = await get('/projects/1', { 'x-test-user': 'u1' });
    expect(signedIn.headers.get('ratelimit')).toBe('"api";r=0;t=10, "user";r=1;t=10');
  });

  test('invented paths, headers and queries bring no fresh bucket', async () => {
    const { get } = openApp([{ limit, key: keyBy(byAddress(), byRoute()) }]);
    const statuses = [];
    for (const id of ['1', '2', '3?x=1'])
      statuses.push(
        (await get(`/projects/${id}`, { 'x-tenant-id': id, 'x-forwarded-for': `10.0.0.${id}` }))
          .status,
      );
    for (const path of ['/a', '/b', '/c']) statuses.push((await get(path)).status);
    expect(statuses).toEqual([200, 200, 429, 404, 404, 429]);
  });

  test('parts of several keys keep apart', async () => {
    const tenant = byTenant((c) => c.req.query('tenant'));
    const both = keyBy(tenant, byUser());
    const { app } = openApp([]);
    app.get('/key', (c) => c.json(both(c) ?? null));
    const keyOf = async (path: string, user: string) =>
      (await app.request(path, { headers: { 'x-test-user': user } })).json();
    expect(await keyOf('/key?tenant=t1', 'u1')).toEqual(['1', 't1', '1', 'u1']);
    expect(await keyOf('/key', 'u1')).toBeNull();
  });
});

test('a limit that others use up refuses, and headers do not tell of it', async () => {
  const narrow = defineLimit({ name: 'mailbox', algorithm: 'gcra', quota: 1, window: '1h' });
  const { get } = openApp([byClient, { limit: narrow, key: 'someone', told: false }]);
  const first = await get('/projects/1');
  expect(first.headers.get('ratelimit-policy')).toBe('"api";q=2;w=10');
  expect(first.headers.get('ratelimit')).toBe('"api";r=1;t=10');
  const refused = await get('/projects/1', { 'x-test-address': '192.0.2.2' });
  expect(refused.status).toBe(429);
  expect(refused.headers.get('ratelimit')).toBe('"api";r=2');
  expect(refused.headers.get('retry-after')).toBe('3600');
  expect(await refused.json()).toMatchObject({ violatedPolicies: ['mailbox'] });
});
