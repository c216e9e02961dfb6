import { createHmac } from 'node:crypto';
import { isFailure, uuidv7 } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { type HttpEnv, stack, undocumentedRoutes } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { requireWebhookSignature, type WebhookEnv, webhookRoutes } from '../src/hono/index.ts';
import {
  createWebhookSecret,
  createWebhookSigner,
  createWebhookVerifier,
  githubVerifier,
  incoming,
  memoryInbox,
} from '../src/index.ts';
import { webhooksMigrations } from '../src/migrations.ts';
import { postgresInbox } from '../src/stores/postgres.ts';
import { actor, openSink, openWebhooks, projectCreated } from './open-webhooks.ts';

const test = databaseTest([webhooksMigrations]);

test('a tenant creates, tests, rotates, reads, replays and deletes over HTTP, and another finds nothing', async ({
  db,
}) => {
  await using sink = await openSink();
  const { webhooks, tenantId, work, audited, jobs, workNext } = openWebhooks(db);
  const app = new Hono<HttpEnv>();
  stack(app);
  const routes = webhookRoutes(webhooks, {
    tenantOf: (c) => c.req.header('X-Tenant') ?? tenantId,
    actorOf: () => actor,
    guard: async (c, next) => {
      if (c.req.header('X-Guest') !== undefined) return c.body(null, 403);
      return next();
    },
  });
  app.route('/webhooks', routes);
  expect(undocumentedRoutes(app)).toEqual([]);
  const call = async (method: string, path: string, json?: unknown, headers: object = {}) => {
    const response = await app.request(`/webhooks${path}`, {
      method,
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? null : JSON.parse(text),
    };
  };
  const input = { url: sink.url, eventTypes: ['project.*'], headers: { 'X-A': 'hidden' } };
  const created = await call('POST', '/endpoints', input);
  expect(created).toMatchObject({
    status: 201,
    body: { secret: expect.stringMatching(/^whsec_/) },
  });
  expect(created.headers.get('cache-control')).toBe('no-store');
  const { id } = created.body.endpoint as { id: string };
  expect((await call('GET', '/event-types')).body.items).toHaveLength(2);
  expect((await call('GET', `/endpoints/${id}`)).body).toMatchObject({ headerNames: ['X-A'] });
  expect(JSON.stringify((await call('GET', '/endpoints')).body)).not.toMatch(/whsec_|hidden/);
  expect((await call('POST', `/endpoints/${id}/rotate`, { overlapSeconds: 60 })).status).toBe(200);
  expect((await call('GET', `/endpoints/${id}/secrets`)).body.items).toHaveLength(2);
  const { body: tested } = await call('POST', `/endpoints/${id}/test`);
  await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
  await work();
  expect((await call('GET', `/deliveries/${tested.deliveryId}`)).body).toMatchObject({
    status: 'delivered',
    tries: [{ status: 200 }],
  });
  expect((await call('POST', `/deliveries/${tested.deliveryId}/replay`)).status).toBe(202);
  expect((await call('POST', `/deliveries/${tested.deliveryId}/replay`)).status).toBe(409);
  await work();
  const since = '2025-01-01T00:00:00.000Z';
  expect((await call('POST', '/replay', { endpointId: id, since })).body.replayed).toBe(2);
  while (jobs.length > 0) await workNext();
  expect((await call('GET', '/stats')).body).toMatchObject({ deliveries: { delivered: 2 } });
  expect((await call('GET', '/deliveries?limit=1')).body.next).not.toBeNull();
  const foreign = { 'X-Tenant': uuidv7() };
  for (const [method, path] of [
    ['GET', `/endpoints/${id}`],
    ['DELETE', `/endpoints/${id}`],
    ['POST', `/endpoints/${id}/test`],
    ['GET', `/deliveries/${tested.deliveryId}`],
    ['POST', `/deliveries/${tested.deliveryId}/replay`],
  ] as const)
    expect((await call(method, path, undefined, foreign)).status).toBe(404);
  expect((await call('GET', '/endpoints', undefined, { 'X-Guest': '1' })).status).toBe(403);
  expect((await call('PATCH', `/endpoints/${id}`, { isEnabled: false })).body.status).toBe(
    'disabled',
  );
  expect((await call('POST', `/endpoints/${id}/test`)).status).toBe(409);
  expect((await call('DELETE', `/endpoints/${id}`)).status).toBe(204);
  expect(audited.map(({ type }) => type)).toContain('webhooks.endpoint.deleted');
});

test.each([
  ['/url', { url: 'ftp://a.example' }],
  ['/url', { url: 'https://user:pass@a.example/' }],
  ['/url', { url: 'https://a.example/#x' }],
  ['/eventTypes/0', { url: 'https://a.example', eventTypes: ['nothing.*'] }],
  ['/headers', { url: 'https://a.example', headers: { 'Webhook-Id': 'x' } }],
  ['/headers', { url: 'https://a.example', headers: { 'X-A': 'a\r\nX-B: b' } }],
  ['/headers', { url: 'https://a.example', headers: { Host: 'inside' } }],
])('a fault is told at %s', async (pointer, input) => {
  const { endpoints } = openWebhooks(undefined as never, { allowHttp: false });
  const error: unknown = await endpoints.create(input).catch((thrown: unknown) => thrown);
  expect(isFailure(error) && error.details.errors?.[0]?.pointer).toBe(pointer);
});

test('a URL that must not be called is refused without a word why', async ({ db }) => {
  const { endpoints, logger } = openWebhooks(db, {
    checkUrl: async () => {
      throw new Error('10.0.0.7 is private');
    },
  });
  const error: unknown = await endpoints
    .create({ url: 'https://a.example' })
    .catch((thrown: unknown) => thrown);
  expect(isFailure(error) && error.details.errors).toMatchObject([
    { pointer: '/url', code: 'url' },
  ]);
  expect(JSON.stringify(isFailure(error) && error.details)).not.toContain('10.0.0.7');
  expect(logger.lines).toHaveLength(1);
});

test('an incoming webhook is worked on once, however often it comes', async ({ db }) => {
  for (const inbox of [memoryInbox(), postgresInbox(db)]) {
    const { secret, verifier } = createWebhookSecret('v1');
    let status: 200 | 500 = 500;
    let runs = 0;
    let release: () => void = () => {};
    let gate = Promise.resolve();
    const app = new Hono<HttpEnv & WebhookEnv>();
    stack(app);
    const source = uuidv7();
    app.post(
      '/in',
      requireWebhookSignature(createWebhookVerifier([verifier]), { source, inbox }),
      async (c) => {
        runs += 1;
        await gate;
        return c.json({ id: c.get('webhook').id, data: await c.req.json() }, status);
      },
    );
    const body = '{"a":1}';
    const timestamp = Math.floor((performance.timeOrigin + performance.now()) / 1000);
    const post = (id: string, changed = body) =>
      app.request('/in', {
        method: 'POST',
        body: changed,
        headers: {
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          'webhook-signature': createWebhookSigner([secret]).sign({ id, timestamp, body }),
        },
      });
    using seen = recordEvents(incoming);
    expect((await post('m1')).status).toBe(500);
    status = 200;
    const first = await post('m1');
    expect([first.status, await first.json()]).toEqual([200, { id: 'm1', data: { a: 1 } }]);
    expect((await post('m1')).status).toBe(204);
    expect((await post('m1', '{"a":2}')).status).toBe(401);
    expect(runs).toBe(2);
    gate = new Promise((resolve) => (release = resolve));
    const together = Array.from({ length: 50 }, async () => {
      const answer = await post('m2');
      if (answer.status === 409) release();
      return answer.status;
    });
    const statuses = await Promise.all(together);
    expect(statuses.filter((each) => each === 200)).toHaveLength(1);
    expect(statuses.filter((each) => each !== 200 && each !== 409 && each !== 204)).toEqual([]);
    expect(runs).toBe(3);
    expect(seen.events.slice(0, 4).map(({ payload }) => payload.result)).toEqual([
      'accepted',
      'accepted',
      'duplicate',
      'refused',
    ]);
  }
});

test('what a handler writes with its webhook is there once, and a roll back leaves the webhook to be tried again', async ({
  db,
}) => {
  let isFailing = true;
  const app = new Hono<HttpEnv & WebhookEnv>();
  stack(app);
  app.post(
    '/in',
    requireWebhookSignature(githubVerifier(['s']), { source: uuidv7(), inbox: postgresInbox(db) }),
    async (c) => {
      await transact(db, async (within) => {
        await c.get('webhook').done({ within });
        if (isFailing) throw new Error('no');
      });
      return c.body(null, 204);
    },
  );
  const body = uuidv7();
  const signature = createHmac('sha256', 's').update(body).digest('hex');
  const headers = { 'X-Hub-Signature-256': `sha256=${signature}` };
  const post = async () => (await app.request('/in', { method: 'POST', body, headers })).status;
  expect(await post()).toBe(500);
  isFailing = false;
  expect([await post(), await post()]).toEqual([204, 204]);
});
