import { failure } from '@svc/core';
import { CrossSite } from '@svc/http';
import {
  documentMiddleware,
  openapiDocument,
  openapiRoutes,
  operation,
  problemRoutes,
  undocumentedRoutes,
  validated,
} from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { problemIn, testApp } from './test-app.ts';

class Stale extends failure(
  'test.stale',
  'precondition_failed',
  'It was changed <b>meanwhile</b>.',
) {}

const Project = v.object({
  id: v.string(),
  name: v.string(),
  labels: v.array(v.object({ key: v.string() })),
});
const info = { title: 'Projects <API>', version: '1.0.0' };
const options = {
  info,
  securitySchemes: { session: { type: 'http', scheme: 'bearer' } },
  failures: [CrossSite],
};

function app() {
  const { app, logger } = testApp();
  const projects = new Hono()
    .put(
      '/:id',
      operation({
        id: 'changeProject',
        summary: 'Change a project',
        tags: ['Projects'],
        responses: {
          200: {
            description: 'The project',
            schema: Project,
            example: { id: '1', name: 'a', labels: [] },
          },
        },
        failures: [Stale],
      }),
      validated('param', v.strictObject({ id: v.string() })),
      validated('json', v.strictObject({ name: v.pipe(v.string(), v.maxLength(80)) })),
      (c) => c.json({ id: c.req.valid('param').id, name: c.req.valid('json').name, labels: [] }),
    )
    .get(
      '/',
      operation({
        id: 'listProjects',
        summary: 'List',
        tags: ['Projects'],
        security: 'none',
        responses: { 200: { description: 'All' } },
      }),
      (c) => c.json([]),
    );
  app.route('/v1/projects', projects);
  app.get('/ping', (c) => c.text('pong'));
  app.route('/', openapiRoutes(app, options));
  app.route('/', problemRoutes(app, { failures: [CrossSite] }));
  return { app, logger };
}

test('the document is OpenAPI 3.1.1 and holds what operations and schemas say', async () => {
  const response = await app().app.request('/openapi.json');
  const document = (await response.json()) as Awaited<ReturnType<typeof openapiDocument>>;
  expect(document).toMatchObject({
    openapi: '3.1.1',
    info,
    tags: [{ name: 'Projects' }],
    security: [{ session: [] }],
    components: { securitySchemes: options.securitySchemes },
  });
  expect(Object.keys(document.paths)).toEqual(['/v1/projects/{id}', '/v1/projects']);
  expect(document.paths['/v1/projects']?.['get']).toMatchObject({
    operationId: 'listProjects',
    security: [],
  });
  const change = document.paths['/v1/projects/{id}']?.['put'];
  expect(change).toMatchObject({
    operationId: 'changeProject',
    parameters: [{ in: 'path', name: 'id', required: true, schema: { type: 'string' } }],
    requestBody: {
      content: {
        'application/json': {
          schema: {
            type: 'object',
            properties: { name: { type: 'string', maxLength: 80 } },
            required: ['name'],
            additionalProperties: false,
          },
        },
      },
    },
  });
  expect(change?.responses?.['200']?.content?.['application/json']).toMatchObject({
    schema: { properties: { name: { type: 'string' } } },
    example: { id: '1' },
  });
});

test('every operation names every problem that it can answer', async () => {
  const document = await openapiDocument(app().app, options);
  const codesOf = (method: string, path: string) =>
    Object.values(document.paths[path]?.[method]?.responses ?? {}).flatMap((response) =>
      Object.keys(response.content?.['application/problem+json']?.examples ?? {}),
    );
  expect(codesOf('put', '/v1/projects/{id}').toSorted()).toEqual([
    'core.validation_failed',
    'http.body_incomplete',
    'http.body_timeout',
    'http.body_too_large',
    'http.cross_site',
    'http.internal',
    'http.malformed_body',
    'http.malformed_url',
    'http.unsupported_media_type',
    'test.stale',
  ]);
  expect(codesOf('get', '/v1/projects').toSorted()).toEqual([
    'http.cross_site',
    'http.internal',
    'http.malformed_url',
  ]);
  expect(document.components?.['schemas']?.['Problem']).toBeDefined();
});

test('two routes with one operation id are refused when the app is built', () => {
  const { app } = testApp();
  const same = operation({ id: 'same', summary: 'x', responses: {} });
  app.get('/a', same, (c) => c.text(''));
  app.get('/b', same, (c) => c.text(''));
  expect(() => openapiRoutes(app, { info })).toThrow(
    'The operation id same is used by GET /a and GET /b.',
  );
});

test('routes that no operation describes are listed, also from mounted apps with an error handler', () => {
  const { app: server } = app();
  const inner = new Hono()
    .get('/x', operation({ id: 'x', summary: 'x', responses: {} }), (c) => c.text(''))
    .post('/y', (c) => c.text(''));
  server.route(
    '/inner',
    inner.onError((_e, c) => c.text('')),
  );
  server.all('/all', (c) => c.text(''));
  expect(undocumentedRoutes(server)).toEqual(['GET /ping', 'POST /inner/y', 'ALL /all']);
});

test('the docs page shows every operation with no script, and its policy allows just its style', async () => {
  const { app: server } = app();
  const response = await server.request('/docs');
  const page = await response.text();
  expect(response.headers.get('Content-Type')).toContain('text/html');
  expect(page).toContain('Change a project');
  expect(page).toContain('labels[].key');
  expect(page).toContain('maxLength 80');
  expect(page).toContain('href="/errors/test.stale"');
  expect(page).toContain('Projects &#60;API&#62;');
  expect(page).not.toMatch(/<script|<b>| style=| on[a-z]+=|https?:\/\/|javascript:|undefined/);
  const style = /<style>([^]*)<\/style>/.exec(page)?.[1] ?? '';
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(style))).toString(
    'base64',
  );
  expect(response.headers.get('Content-Security-Policy')).toBe(
    `default-src 'none'; style-src 'sha256-${digest}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
  );
});

test('the type of every problem leads to a page', async () => {
  const { app: server } = app();
  const problem = await problemIn(await server.request('/nowhere'));
  const page = await server.request(String(problem['type']));
  expect(page.status).toBe(200);
  expect(await page.text()).toContain('There is nothing at this address.');
  const index = await (await server.request('/errors')).text();
  for (const code of [
    'test.stale',
    'http.cross_site',
    'http.internal',
    'http.malformed_body',
    'core.validation_failed',
  ]) {
    expect(index).toContain(`href="/errors/${code}"`);
    expect((await server.request(`/errors/${code}`)).status).toBe(200);
  }
  expect(await problemIn(await server.request('/errors/test.unknown'))).toMatchObject({
    code: 'http.not_found',
  });
});

test('what a middleware reads, sets and refuses with stands at the operations behind it, and at no other', async () => {
  class TooOften extends failure('test.too_often', 'rate_limited', 'Too often.') {}
  const header = (description: string) => ({ description, schema: { type: 'string' } });
  const pass = async (_: unknown, next: () => Promise<void>) => next();
  const limit = documentMiddleware(pass.bind(null), {
    responseHeaders: { RateLimit: header('What remains.') },
    failures: [TooOften],
  });
  const once = documentMiddleware(pass.bind(null), {
    methods: ['POST'],
    requestHeaders: { 'Idempotency-Key': header('A text of your own.') },
  });
  const described = (id: string) =>
    operation({ id, summary: id, responses: { 200: { description: 'Done' } } });
  const { app } = testApp();
  app.get('/before', described('before'), (c) => c.text(''));
  app.use('/limited/*', limit);
  const inner = new Hono()
    .use(once)
    .get('/', described('read'), (c) => c.text(''))
    .post('/:id', described('write'), (c) => c.text(''));
  app.route('/limited', inner);
  app.get('/limited-not', described('beside'), (c) => c.text(''));
  app.route('/', problemRoutes(app));
  const { paths, components } = await openapiDocument(app, { info });
  const shown = (path: string, method: string) => {
    const { parameters = [], responses = {} } = paths[path]?.[method] ?? {};
    return {
      reads: parameters.filter((each) => each.in === 'header').map((each) => each.name),
      sets: Object.keys(responses[200]?.headers ?? {}),
      refuses: Object.keys(responses[429]?.headers ?? {}),
    };
  };
  const nothing = { reads: [], sets: [], refuses: [] };
  expect(shown('/before', 'get')).toEqual(nothing);
  expect(shown('/limited-not', 'get')).toEqual(nothing);
  const limited = { reads: [], sets: ['RateLimit'], refuses: ['Retry-After', 'RateLimit'] };
  expect(shown('/limited', 'get')).toEqual(limited);
  expect(shown('/limited/{id}', 'post')).toEqual({ ...limited, reads: ['Idempotency-Key'] });
  expect(paths['/limited/{id}']?.['post']?.parameters).toContainEqual({
    name: 'Idempotency-Key',
    in: 'header',
    required: false,
    ...header('A text of your own.'),
  });
  expect(components?.['headers']).toEqual({ RateLimit: header('What remains.') });
  expect((await app.request('/errors/test.too_often')).status).toBe(200);
});
