import { securityHeaders } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { testApp } from './test-app.ts';

const expected = {
  'strict-transport-security': 'max-age=63072000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'x-frame-options': 'DENY',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
};

test.each([
  ['GET', '/ok', 200],
  ['GET', '/raw', 302],
  ['GET', '/nowhere', 404],
  ['PUT', '/ok', 405],
  ['GET', '/bug', 500],
])('%s %s answers %i with every header', async (method, path, status) => {
  const { app } = testApp();
  app.get('/ok', (c) => c.json({}));
  app.get('/raw', () => Response.redirect('http://localhost/ok'));
  app.get('/bug', () => {
    throw new Error('bug');
  });
  const response = await app.request(path, { method });
  expect(response.status).toBe(status);
  expect(Object.fromEntries(response.headers)).toMatchObject(expected);
});

test('a handler sets its own policy and caching, and cannot weaken the rest', async () => {
  const { app } = testApp();
  app.get('/page', (c) =>
    c.html('', 200, {
      'Content-Security-Policy': "default-src 'self'",
      'Cache-Control': 'public',
      'X-Frame-Options': 'ALLOWALL',
    }),
  );
  const { headers } = await app.request('/page');
  expect(headers.get('Content-Security-Policy')).toBe("default-src 'self'");
  expect(headers.get('Cache-Control')).toBe('public');
  expect(headers.get('X-Frame-Options')).toBe('DENY');
});

test('HSTS can be left out', async () => {
  const app = new Hono().use(securityHeaders({ hstsMaxAgeSeconds: 0 })).get('/', (c) => c.text(''));
  expect((await app.request('/')).headers.has('Strict-Transport-Security')).toBe(false);
});
