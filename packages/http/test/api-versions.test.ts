import { Hono } from 'hono';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { apiVersions, deprecated, openapiDocument, operation, problems } from '../src/hono.ts';

const info = { title: 'Projects', version: '1.0.0' };
const responses = { 200: { description: 'It', schema: v.object({ version: v.number() }) } };

function setUp() {
  const version = (number: number) =>
    new Hono()
      .get(
        '/projects',
        operation({ id: 'listProjects', summary: 'List', tags: ['Projects'], responses }),
        (c) => c.json({ version: number }, 200, { Link: '</next>; rel="next"' }),
      )
      .get(
        '/broken',
        operation({ id: 'broken', summary: 'Broken', tags: ['Admin'], responses }),
        () => {
          throw new Error('broken');
        },
      );
  const app = new Hono();
  problems(app);
  app.route(
    '/',
    apiVersions({
      title: 'Projects <API>',
      publicUrl: 'https://api.example.com/',
      versions: [
        { name: 'v2', app: version(2), openapi: { info: { ...info, version: '2.0.0' } } },
        {
          name: 'v1',
          app: version(1),
          openapi: { info },
          deprecated: {
            since: new Date('2026-01-01T00:00:00Z'),
            sunset: new Date('2026-07-01T00:00:00Z'),
            guide: 'https://example.com/upgrade',
            successor: '/v2',
          },
        },
      ],
    }),
  );
  return app;
}

describe('versions of an API', () => {
  it('answer below their names, each with its own document and its server', async () => {
    const app = setUp();
    for (const [name, number] of [
      ['v1', 1],
      ['v2', 2],
    ] as const) {
      expect(await (await app.request(`/${name}/projects`)).json()).toEqual({ version: number });
      const document = await (await app.request(`/${name}/openapi.json`)).json();
      expect(document).toMatchObject({
        info: { version: `${number}.0.0` },
        servers: [{ url: `https://api.example.com/${name}` }],
      });
      expect(Object.keys((document as { paths: object }).paths)).toEqual(['/projects', '/broken']);
      expect((await app.request(`/${name}/docs`)).status).toBe(200);
    }
  });

  it('say that they are deprecated and when they end, on every answer, errors too', async () => {
    const app = setUp();
    for (const path of ['/v1/projects', '/v1/broken', '/v1/missing']) {
      const { headers } = await app.request(path);
      expect(headers.get('Deprecation')).toBe('@1767225600');
      expect(headers.get('Sunset')).toBe('Wed, 01 Jul 2026 00:00:00 GMT');
      expect(headers.get('Link')).toContain('<https://example.com/upgrade>; rel="deprecation"');
      expect(headers.get('Link')).toContain('<https://example.com/upgrade>; rel="sunset"');
      expect(headers.get('Link')?.split('</v2>; rel="successor-version"')).toHaveLength(2);
    }
    expect((await app.request('/v1/projects')).headers.get('Link')).toContain(
      '</next>; rel="next"',
    );
    const { headers } = await app.request('/v2/projects');
    expect([headers.get('Deprecation'), headers.get('Sunset')]).toEqual([null, null]);
  });

  it('are listed on a landing page', async () => {
    const page = await (await setUp().request('/')).text();
    expect(page).toContain('v1/docs');
    expect(page).toContain('deprecated since 2026-01-01, ends on 2026-07-01');
    expect(page).not.toContain('<API>');
  });

  it('refuse names that are no segment, and an end before the deprecation', () => {
    const one = { app: new Hono(), openapi: { info } };
    expect(() => apiVersions({ title: 'x', versions: [{ ...one, name: 'v1/x' }] })).toThrow(
      TypeError,
    );
    expect(() =>
      apiVersions({
        title: 'x',
        versions: [
          { ...one, name: 'v1' },
          { ...one, name: 'v1' },
        ],
      }),
    ).toThrow(TypeError);
    expect(() => deprecated({ since: new Date(2), sunset: new Date(1) })).toThrow(TypeError);
    expect(() => deprecated({ since: new Date(2), guide: 'a>; rel="x"' })).toThrow(TypeError);
  });
});

it('a document holds the operations that it is for', async () => {
  const app = new Hono()
    .get('/a', operation({ id: 'a', summary: 'A', tags: ['Public'], responses }), (c) => c.text(''))
    .post('/a', operation({ id: 'b', summary: 'B', tags: ['Admin'], responses }), (c) => c.text(''))
    .get('/b', operation({ id: 'c', summary: 'C', tags: ['Admin'], responses }), (c) => c.text(''));
  const scoped = (tag: string) =>
    openapiDocument(app, { info, includes: ({ tags = [] }) => tags.includes(tag) });
  const operationsOf = ({ paths }: Awaited<ReturnType<typeof scoped>>) =>
    Object.values(paths).flatMap((each) =>
      Object.values(each).map(({ operationId }) => operationId),
    );
  expect(operationsOf(await scoped('Public'))).toEqual(['a']);
  expect(operationsOf(await scoped('Admin'))).toEqual(['b', 'c']);
  expect((await scoped('Public')).tags).toEqual([{ name: 'Public' }]);
});
