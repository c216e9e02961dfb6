import { failure } from '@svc/core';
import {
  apiDoctor,
  type ApiDoctorOptions,
  documentMiddleware,
  openapiDocument,
  operation,
  type OperationOptions,
  validated,
} from '@svc/http/hono';
import { Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';

class NotSignedIn extends failure('test.not_signed_in', 'unauthenticated', 'Sign in.') {}
class NoThing extends failure('test.no_thing', 'not_found', 'There is no such thing.') {}

const pass: MiddlewareHandler = async (_, next) => next();
const guard = documentMiddleware(pass.bind(null), { guards: true, failures: [NotSignedIn] });
const Thing = v.object({ id: v.pipe(v.string(), v.uuid()), name: v.string() });
const ThingId = v.strictObject({ id: v.pipe(v.string(), v.uuid()) });
const NewThing = v.strictObject({ name: v.pipe(v.string(), v.maxLength(80)) });
const options = {
  info: { title: 'Things', version: '1.0.0' },
  securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
};

/** An operation as it should be, but for what is said. */
const described = (more: Partial<OperationOptions> & { id: string }) =>
  operation({
    summary: 'Do it',
    tags: ['Things'],
    responses: { 200: { description: 'Done', schema: Thing } },
    failures: [NoThing],
    ...more,
  });

function healthy() {
  return new Hono()
    .use('/things/*', guard)
    .get('/things/:id', described({ id: 'getThing' }), validated('param', ThingId), (c) =>
      c.text(''),
    )
    .patch(
      '/things/:id',
      described({ id: 'changeThing' }),
      validated('param', ThingId),
      validated('json', NewThing),
      (c) => c.text(''),
    );
}

async function findingsOf(
  change: (app: Hono) => unknown,
  allow: ApiDoctorOptions['allow'] = {},
): Promise<string[]> {
  const app = healthy();
  change(app);
  const findings = await apiDoctor(app, { ...options, allow });
  return findings.map(({ rule, operation: name }) => `${rule} ${name}`);
}

test('an app as it should be has no finding', async () => {
  expect(await findingsOf(() => undefined)).toEqual([]);
});

const done = { 200: { description: 'Done' } };

describe('it finds', () => {
  const cases: [string, (app: Hono) => unknown, string][] = [
    [
      'a route that nothing describes',
      (app) => app.get('/things/:id/parts', (c) => c.text('')),
      'orphan_route GET /things/:id/parts',
    ],
    [
      'an id that a generator made',
      (app) =>
        app.get('/made', described({ id: 'getV1Made', security: 'none' }), (c) => c.text('')),
      'unstable_id getV1Made',
    ],
    [
      'an operation without a summary',
      (app) =>
        app.get('/a', described({ id: 'a', summary: '', security: 'none' }), (c) => c.text('')),
      'missing_summary a',
    ],
    [
      'an operation without a tag',
      (app) => app.get('/a', described({ id: 'a', tags: [], security: 'none' }), (c) => c.text('')),
      'missing_tag a',
    ],
    [
      'an answer of which no example can be made',
      (app) => {
        const schema = v.object({ code: v.pipe(v.string(), v.regex(/^Z{3}-\d$/)) });
        const responses = { 200: { description: 'Done', schema } };
        app.get('/a', described({ id: 'a', responses, security: 'none' }), (c) => c.text(''));
      },
      'missing_example a',
    ],
    [
      'one of many that is never missing',
      (app) => {
        const op = described({ id: 'a', failures: [] });
        app.get('/things/of/:id', op, validated('param', ThingId), (c) => c.text(''));
      },
      'undocumented_failure a',
    ],
    [
      'credentials that nothing asks for',
      (app) => app.get('/a', described({ id: 'a', failures: [NotSignedIn] }), (c) => c.text('')),
      'unguarded_operation a',
    ],
    [
      'a mutation that anybody may send',
      (app) =>
        app.post('/a', described({ id: 'a', responses: done, security: 'none' }), (c) =>
          c.text(''),
        ),
      'unguarded_mutation a',
    ],
    [
      'a creation that a second try would repeat',
      (app) => {
        const responses = { 201: { description: 'Made', schema: Thing } };
        app.post('/things', described({ id: 'createThing', responses }), (c) => c.text(''));
      },
      'unrepeatable_creation createThing',
    ],
    [
      'a parameter that can be a word of another path',
      (app) => {
        const named = v.strictObject({ name: v.pipe(v.string(), v.maxLength(20)) });
        app.use('/auth/*', guard);
        app.get('/auth/sessions', described({ id: 'sessions', responses: done }), (c) =>
          c.text(''),
        );
        app.delete(
          '/auth/:name',
          described({ id: 'removeName', responses: done }),
          validated('param', named),
          (c) => c.text(''),
        );
      },
      'ambiguous_path removeName',
    ],
    [
      'a list that has no end',
      (app) => {
        const responses = {
          200: { description: 'All', schema: v.object({ items: v.array(Thing) }) },
        };
        app.get('/a', described({ id: 'a', responses, security: 'none' }), (c) => c.text(''));
      },
      'unbounded_list a',
    ],
    [
      'a text of any length',
      (app) => {
        const query = v.strictObject({ q: v.string() });
        const op = described({ id: 'a', responses: done, security: 'none' });
        app.get('/a', op, validated('query', query), (c) => c.text(''));
      },
      'unbounded_string a',
    ],
  ];
  test.each(cases)('%s', async (_, change, finding) => {
    expect(await findingsOf(change)).toEqual([finding]);
  });
});

test('what is allowed with a reason is no finding, and an allowance for nothing is one', async () => {
  const open = (app: Hono) =>
    app.post('/a', described({ id: 'a', responses: done, security: 'none' }), (c) => c.text(''));
  const allow = { unguarded_mutation: { a: 'it is for everybody' } };
  expect(await findingsOf(open, allow)).toEqual([]);
  expect(await findingsOf(() => undefined, allow)).toEqual(['stale_allowance a']);
});

test('a body without a written example gets one that fits its schema', async () => {
  const { paths } = await openapiDocument(healthy(), options);
  const change = paths['/things/{id}']?.['patch'];
  const sent = change?.requestBody?.content?.['application/json']?.example;
  const answered = change?.responses?.['200']?.content?.['application/json']?.example;
  expect(v.safeParse(NewThing, sent).success).toBe(true);
  expect(v.safeParse(Thing, answered).success).toBe(true);
});
