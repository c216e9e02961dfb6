import { recordingLogger } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import {
  type HttpEnv,
  openapiRoutes,
  problems,
  requestContext,
  undocumentedRoutes,
} from '@svc/http/hono';
import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { expect } from 'vitest';
import { verifyAuditLog } from '../src/index.ts';
import { auditRoutes, type AuditRoutesOptions } from '../src/hono.ts';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, key, openAudit, someTenant } from './open-audit.ts';

const test = databaseTest([auditMigrations]);

const guard = createMiddleware(async (c, next) =>
  c.req.header('Authorization') === 'Bearer auditor' ? next() : c.json({}, 403),
);
const documented = {
  info: { title: 'Log', version: '1', description: 'A log.' },
  securitySchemes: {},
  typeBase: 'https://app.example.com/errors',
};
const headers = { Authorization: 'Bearer auditor' };

function openApp(db: Parameters<typeof openAudit>[0], options: Partial<AuditRoutesOptions> = {}) {
  const { audit } = openAudit(db);
  const app = new Hono<HttpEnv>();
  app.use(requestContext({ logger: recordingLogger(), clientAddress: () => '192.0.2.1' }));
  problems(app);
  app.route('/audit', auditRoutes(audit, { guard, ...options }));
  return { audit, app };
}

test.for([
  'GET /audit/events',
  'GET /audit/events/export',
  'GET /audit/checkpoints',
  'POST /audit/verify',
])('%s is behind the guard', async (route, { db }) => {
  const { app } = openApp(db);
  const [method, path] = route.split(' ') as [string, string];
  expect((await app.request(path, { method })).status).toBe(403);
  const response = await app.request(path, { method, headers });
  expect(response.status).toBe(200);
  expect(response.headers.get('Cache-Control')).toBe('no-store');
  await response.text();
  expect(undocumentedRoutes(app)).toEqual([]);
});

test('events are searched and paged', async ({ db }) => {
  const { audit, app } = openApp(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  const read = async (query: string) => {
    const response = await app.request(`/audit/events?tenantId=${tenantId}&${query}`, { headers });
    expect(response.status).toBe(200);
    return (await response.json()) as { items: { seq: number; at: string }[]; nextCursor: string };
  };
  const first = await read('limit=2&from=2026-01-01T00:00:00Z');
  expect(first.items).toMatchObject([{ seq: 3, at: '2026-01-01T00:00:00.000Z' }, { seq: 2 }]);
  const second = await read(`limit=2&cursor=${first.nextCursor}`);
  expect(second).toMatchObject({ items: [{ seq: 1 }], nextCursor: null });
  expect((await read('until=2026-01-01T00:00:00.000Z')).items).toEqual([]);
});

test.for([
  'limit=0',
  'limit=501',
  'limit=x',
  'cursor=x',
  'tenantId=acme',
  'tenantId=00000000-0000-0000-0000-000000000000',
  'outcome=maybe',
  'from=yesterday',
  'from=2026-02-30T99:00:00Z',
  'unknown=1',
])('a search with %s is refused', async (query, { db }) => {
  const { app } = openApp(db);
  const response = await app.request(`/audit/events?${query}`, { headers });
  expect(response.status).toBe(400);
});

test('an export over HTTP verifies offline, and a CSV says what it is', async ({ db }) => {
  const { audit, app } = openApp(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  const ndjson = await app.request(`/audit/events/export?tenantId=${tenantId}`, { headers });
  expect(ndjson.headers.get('Content-Type')).toBe('application/x-ndjson');
  const body = ndjson.body as unknown as AsyncIterable<Uint8Array>;
  const result = await verifyAuditLog(body, { publicKeys: [key.publicKey], tenantId });
  expect(result).toMatchObject({ valid: true, entries: 3 });
  const csv = await app.request(`/audit/events/export?tenantId=${tenantId}&format=csv`, {
    headers,
  });
  expect(csv.headers.get('Content-Type')).toBe('text/csv; charset=utf-8');
  expect(csv.headers.get('Content-Disposition')).toBe('attachment; filename="audit-log.csv"');
  expect((await csv.text()).trimEnd().split('\r\n')).toHaveLength(4);
});

test('checkpoints and the result of verifying are answered', async ({ db }) => {
  const { audit, app } = openApp(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  const checkpoints = await app.request(`/audit/checkpoints?tenantId=${tenantId}`, { headers });
  const { items } = (await checkpoints.json()) as { items: { note: string; size: number }[] };
  expect(items[0]).toMatchObject({
    size: 3,
    note: expect.stringContaining('— audit.example.com '),
  });
  const verify = { method: 'POST', headers };
  const verified = await app.request(`/audit/verify?tenantId=${tenantId}`, verify);
  expect(await verified.json()).toMatchObject({ valid: true, signed: true, entries: 3 });
});

test('a reader who is held to one tenant sees that one, whatever they ask', async ({ db }) => {
  const [own, other] = [someTenant(), someTenant()];
  const { audit, app } = openApp(db, { scopeOf: () => own });
  await fill(audit, own, 1);
  await fill(audit, other, 1);
  for (const asked of ['', `tenantId=${other}`, 'tenantId=every', 'tenantId=service']) {
    const events = await app.request(`/audit/events?${asked}`, { headers });
    const { items } = (await events.json()) as { items: { tenantId: string }[] };
    expect(items.map((item) => item.tenantId)).toEqual([own]);
    const exported = await app.request(`/audit/events/export?${asked}`, { headers });
    expect(await exported.text()).not.toContain(other);
  }
});

test('a scope that was not found opens no log, and least of all that of the service', async ({
  db,
}) => {
  const { audit, app } = openApp(db, { scopeOf: () => undefined as unknown as null });
  await fill(audit, null, 1);
  for (const path of ['events', 'events/export', 'checkpoints'])
    expect((await app.request(`/audit/${path}`, { headers })).status).toBe(500);
  expect((await app.request('/audit/verify', { headers, method: 'POST' })).status).toBe(500);
});

test('a log of each tenant stands beside that of all, under other operation ids', async ({
  db,
}) => {
  const { audit } = openAudit(db);
  const idsOf = async (options: Partial<AuditRoutesOptions>) => {
    const routes = new Hono<HttpEnv>().route('/', auditRoutes(audit, { guard, ...options }));
    const document = new Hono<HttpEnv>().route('/', openapiRoutes(routes, documented));
    const { paths } = (await (await document.request('/openapi.json')).json()) as {
      paths: Record<string, Record<string, { operationId: string }>>;
    };
    return Object.values(paths).flatMap((path) =>
      Object.values(path).map((each) => each.operationId),
    );
  };
  const all = await idsOf({});
  const own = await idsOf({ name: 'TenantAudit', scopeOf: () => someTenant() });
  expect(all.toSorted()).toEqual([
    'exportAuditLog',
    'listAuditCheckpoints',
    'searchAuditLog',
    'verifyAuditLog',
  ]);
  expect(new Set([...all, ...own])).toHaveLength(8);
});

test('reading is in the log where the app says who reads', async ({ db }) => {
  const actor = { type: 'user', id: 'auditor' } as const;
  const { audit, app } = openApp(db, { actorOf: () => actor });
  const tenantId = someTenant();
  await fill(audit, tenantId, 1);
  for (const path of ['events', 'events/export']) {
    const response = await app.request(`/audit/${path}?tenantId=${tenantId}`, { headers });
    await response.text();
  }
  await audit.seal();
  const { items } = await audit.search({ tenantId, actorId: 'auditor' });
  expect(items.map((item) => item.type).toSorted()).toEqual([
    'audit.log.exported',
    'audit.log.searched',
  ]);
  expect(items[0]?.requestId).toEqual(expect.any(String));
});

test('a client that leaves an export ends the reading of it', async ({ db }) => {
  const { audit, app } = openApp(db);
  const tenantId = someTenant();
  await fill(audit, tenantId, 3);
  const response = await app.request(`/audit/events/export?tenantId=${tenantId}`, { headers });
  await response.body?.cancel();
  await audit.append(event({ tenantId }));
});
