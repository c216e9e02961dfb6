import { expect, test } from 'vitest';
import { failure, type FailureKind } from '@svc/core';
import { statusOf } from '../src/index.ts';
import { openApp, post } from './open-app.ts';

test('a failure of a mounted app becomes a problem by the one table', async () => {
  const { app } = openApp();
  const answer = await app.request('/orders/1?token=secret');
  expect(answer.status).toBe(409);
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  expect(await answer.json()).toEqual({
    type: 'https://api.example.test/errors/shop.out_of_stock',
    title: 'The article is sold out.',
    detail: 'Come back on Monday.',
    status: 409,
    code: 'shop.out_of_stock',
    instance: '/orders/1',
    request_id: answer.headers.get('x-request-id'),
  });
});

test('retryAfterSeconds becomes Retry-After', async () => {
  const answer = await openApp().app.request('/orders/busy');
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '7']);
});

test('a refused body keeps the CORS headers of its answer', async () => {
  const { app } = openApp();
  const body = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(100_000)) });
  const answer = await app.request('/orders', { method: 'POST', body, duplex: 'half', headers: { 'content-type': 'application/json', origin: 'https://app.example.test' } } as RequestInit);
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([413, 'https://app.example.test']);
  expect(await answer.json()).toMatchObject({ code: 'http.body_too_large', status: 413 });
});

test('what nobody expected is a bare 500; its cause is logged under the request id', async () => {
  const { app, lines } = openApp();
  const answer = await app.request('/orders/bug');
  expect(await answer.json()).toEqual({
    type: 'https://api.example.test/errors/internal',
    title: 'Something went wrong on our side.',
    status: 500,
    code: 'internal',
    instance: '/orders/bug',
    request_id: answer.headers.get('x-request-id'),
  });
  const line = lines.find(({ level }) => level === 'error');
  expect(line?.fields).toMatchObject({ requestId: answer.headers.get('x-request-id'), err: new Error('the password is swordfish') });
});

test('a method that a path does not have is a 405 that names those it has', async () => {
  const { app } = openApp();
  const answer = await app.request('/orders', { method: 'DELETE' });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS, POST']);
  expect(await answer.json()).toMatchObject({ code: 'http.method_not_allowed' });
  expect((await app.request('/nowhere', { method: 'DELETE' })).status).toBe(404);
  expect((await app.request('/orders', { method: 'HEAD' })).status).toBe(200);
});

test('every kind has a status, and HTTP failures have their own', () => {
  const kinds: FailureKind[] = ['invalid', 'unauthenticated', 'forbidden', 'not_found', 'conflict', 'gone', 'precondition_failed', 'too_large', 'precondition_required', 'rate_limited', 'unavailable', 'timeout'];
  expect(kinds.map((kind) => statusOf(failure('a.b', kind, 'x')))).toEqual([400, 401, 403, 404, 409, 410, 412, 413, 428, 429, 503, 504]);
  expect(statusOf({ code: 'http.body_timeout', kind: 'timeout' })).toBe(408);
});

test('every answer carries the request id, also one below the handlers', async () => {
  const { app } = openApp();
  const answers = [app.request('/orders'), app.request('/nowhere'), app.request('/orders', { method: 'PUT' }), app.request('/orders/bug'), app.request('/undocumented'), post(app, 'x'.repeat(2_000_000))];
  for (const answer of await Promise.all(answers)) expect([answer.status, answer.headers.get('x-request-id')]).toEqual([answer.status, expect.stringMatching(/^[\w.-]{8,128}$/)]);
});

test.each(['short', 'x'.repeat(129), 'with space', 'tab\there', '<b>bold</b>', 'ünïcödé-id'])('an unsafe request id %j is replaced', async (id) => {
  const answer = await openApp().app.request('/orders', { headers: { 'x-request-id': encodeURI(id) === id ? id : 'a/b;c:d,e{}' } });
  expect(answer.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
});

test('a safe request id is kept, in the answer and in the log', async () => {
  const { app, lines } = openApp();
  const answer = await app.request('/orders?q=secret', { headers: { 'x-request-id': 'client-0001' } });
  expect(answer.headers.get('x-request-id')).toBe('client-0001');
  expect(lines.at(-1)?.fields).toMatchObject({ requestId: 'client-0001', method: 'GET', path: '/orders', status: 400 });
  expect(JSON.stringify(lines)).not.toContain('secret');
});
