import { expect, test } from 'vitest';
import { testApp } from './test-app.ts';

function app() {
  const { app, logger } = testApp();
  app.get('/ok', (c) => {
    c.get('logger').info({}, 'inside');
    return c.text(c.get('requestId'));
  });
  app.get('/raw', () => Response.redirect('http://localhost/ok'));
  app.get('/bug', () => {
    throw new Error('bug');
  });
  return { app, logger };
}

test.each(['a1b2c3d4', 'A-b_c.d-1', 'x'.repeat(128)])(
  'the safe id %s is kept, echoed and logged',
  async (id) => {
    const { app: server, logger } = app();
    const response = await server.request('/ok', { headers: { 'X-Request-Id': id } });
    expect(response.headers.get('X-Request-Id')).toBe(id);
    expect(await response.text()).toBe(id);
    expect(logger.lines.map((line) => [line.message, line.fields['requestId']])).toEqual([
      ['inside', id],
      ['request', id],
    ]);
  },
);

test.each([
  'short',
  'x'.repeat(129),
  'with space',
  'a"b"c"d"e',
  '<script>alert(1)</script>',
  'äöüäöüäöü',
  'a1b2c3d4,b',
])('the unsafe id %s is replaced', async (id) => {
  const response = await app().app.request('/ok', { headers: { 'X-Request-Id': id } });
  expect(response.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/);
});

test.each([
  ['GET', '/ok', 200],
  ['HEAD', '/ok', 200],
  ['OPTIONS', '/ok', 204],
  ['GET', '/raw', 302],
  ['GET', '/nowhere', 404],
  ['DELETE', '/ok', 405],
  ['GET', '/bug', 500],
  ['GET', '/%zz', 400],
])('%s %s answers %i with the id', async (method, path, status) => {
  const { app: server, logger } = app();
  const response = await server.request(path, {
    method,
    headers: { 'X-Request-Id': 'request-0001' },
  });
  expect(response.status).toBe(status);
  expect(response.headers.get('X-Request-Id')).toBe('request-0001');
  expect(logger.lines.every((line) => line.fields['requestId'] === 'request-0001')).toBe(true);
});

test('the access line says what was answered to whom, without path, query or header', async () => {
  const { app, logger } = testApp();
  app.get('/links/:token', (c) => c.text('ok'));
  await app.request('/links/secret?also=secret', { headers: { Authorization: 'secret' } });
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]?.fields).toMatchObject({
    method: 'GET',
    route: '/links/:token',
    status: 200,
    clientAddress: '192.0.2.1',
    durationMs: expect.any(Number),
  });
  expect(JSON.stringify(logger.lines)).not.toContain('secret');
});
