import { operation } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { problemIn, testApp } from './test-app.ts';

function app() {
  const { app } = testApp();
  const projects = new Hono();
  projects.use(async (_c, next) => next());
  projects.get('/', (c) => c.json([]));
  projects.post('/', (c) => c.json({}, 201));
  projects.delete('/:id', operation({ id: 'deleteProject', summary: 'x', responses: {} }), (c) =>
    c.body(null, 204),
  );
  app.route('/projects', projects);
  app.all('/any', (c) => c.text(c.req.method));
  return app;
}

test.each([
  ['PUT', '/projects', 'GET, HEAD, OPTIONS, POST'],
  ['PATCH', '/projects', 'GET, HEAD, OPTIONS, POST'],
  ['GET', '/projects/1', 'DELETE, OPTIONS'],
  ['HEAD', '/projects/1', 'DELETE, OPTIONS'],
  ['PROPFIND', '/projects/1', 'DELETE, OPTIONS'],
])('%s %s answers 405 and allows %s', async (method, path, allow) => {
  const response = await app().request(path, { method });
  expect(response.status).toBe(405);
  expect(response.headers.get('Allow')).toBe(allow);
  if (method !== 'HEAD')
    expect(await problemIn(response)).toMatchObject({ code: 'http.method_not_allowed' });
});

test('OPTIONS says what is allowed', async () => {
  const response = await app().request('/projects', { method: 'OPTIONS' });
  expect(response.status).toBe(204);
  expect(response.headers.get('Allow')).toBe('GET, HEAD, OPTIONS, POST');
});

test('HEAD answers like GET, without a body', async () => {
  const response = await app().request('/projects', { method: 'HEAD' });
  expect(response.status).toBe(200);
  expect(response.headers.get('Content-Type')).toBe('application/json');
  expect(await response.text()).toBe('');
});

test('a path no route has is 404 for every method, and a route for all methods takes each', async () => {
  for (const method of ['GET', 'PUT', 'OPTIONS']) {
    const response = await app().request('/nowhere', { method });
    expect(await problemIn(response)).toMatchObject({ status: 404, code: 'http.not_found' });
  }
  expect(await (await app().request('/any', { method: 'PUT' })).text()).toBe('PUT');
});
