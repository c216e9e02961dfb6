import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { operation, toOpenApi, undocumentedRoutes } from '../src/hono.ts';
import type { OpenApiDocument } from '../src/hono.ts';
import { openApp } from './open-app.ts';

const { app } = openApp();
const read = async () => (await (await app.request('/openapi.json')).json()) as OpenApiDocument;

test('the document describes the operations of mounted apps, with their schemas', async () => {
  const { openapi, paths } = await read();
  expect(openapi).toBe('3.1.1');
  expect(Object.keys(paths)).toEqual(['/orders', '/orders/{id}', '/orders/form']);
  expect(paths['/orders']?.['post']).toMatchObject({
    operationId: 'createOrder',
    requestBody: { required: true, content: { 'application/json': { schema: { type: 'object', required: ['article'], additionalProperties: false } } } },
  });
  expect(paths['/orders']?.['get']?.parameters).toMatchObject([{ name: 'limit', in: 'query', required: false }]);
  expect(paths['/orders/{id}']?.['get']?.parameters).toEqual([{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }]);
});

test('every problem that an operation may answer with is in it', async () => {
  const { paths } = await read();
  const responses = paths['/orders']?.['post']?.responses ?? {};
  expect(Object.keys(responses)).toEqual(['201', '400', '408', '409', '413', '415', '500', '504']);
  expect(JSON.stringify(responses['409'])).toContain('shop.out_of_stock');
  expect(JSON.stringify(responses['400'])).toContain('core.validation_failed');
});

test('routes without an operation are listed', () => {
  expect(undocumentedRoutes(app)).toEqual(['GET /undocumented', 'GET /openapi.json', 'GET /docs', 'GET /errors/:code']);
});

test('an operation id that is used twice is refused', () => {
  const twice = operation({ id: 'same', summary: 'x', tags: [], responses: {} });
  const shop = new Hono().get('/a', twice, (c) => c.text('a')).get('/b', twice, (c) => c.text('b'));
  expect(() => toOpenApi(shop, { info: { title: 'x', version: '1', description: 'x' } })).toThrow(/same is used by GET \/a and by GET \/b/);
});

test('the docs page shows every operation, under a policy that allows nothing but its own style', async () => {
  const answer = await app.request('/docs');
  const html = await answer.text();
  for (const text of ['/orders/{id}', 'Order by form', 'shop.out_of_stock']) expect(html).toContain(text);
  expect(html).not.toMatch(/<script|https?:\/\/|\son\w+=|style="/);
  const policy = answer.headers.get('content-security-policy') ?? '';
  expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'/);
  const style = /<style>([\s\S]*?)<\/style>/.exec(html)?.[1] ?? '';
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(style));
  expect(policy).toContain(Buffer.from(digest).toString('base64'));
});

test('what a document says is escaped on the page', async () => {
  const shop = new Hono().get('/x', operation({ id: 'x', summary: '<img src=x onerror=alert(1)>', tags: ['"><b>'], responses: {} }), (c) => c.text('x'));
  const { docsPage } = await import('../src/docs-page.ts');
  expect(docsPage(toOpenApi(shop, { info: { title: '</title><script>', version: '1', description: 'x' } }))).not.toMatch(/<img|<script|"><b>/);
});

test("a problem's type leads to a page, an unknown code to none", async () => {
  for (const code of ['shop.out_of_stock', 'http.body_too_large', 'core.validation_failed', 'internal']) {
    const answer = await app.request(`/errors/${code}`);
    expect([code, answer.status, answer.headers.get('content-type')]).toEqual([code, 200, 'text/html; charset=UTF-8']);
  }
  expect((await app.request('/errors/made.up')).status).toBe(404);
});
