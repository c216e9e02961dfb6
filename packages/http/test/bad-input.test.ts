import { failure } from '@svc/core';
import { validated } from '@svc/http/hono';
import { getCookie } from 'hono/cookie';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { problemIn, testApp } from './test-app.ts';

class NotSignedIn extends failure('test.not_signed_in', 'unauthenticated', 'Sign in first.') {}

const Registration = v.strictObject({
  email: v.pipe(v.string(), v.maxLength(254), v.email()),
  password: v.pipe(v.string(), v.minLength(8), v.maxLength(128)),
  profile: v.optional(
    v.strictObject({ nickname: v.string(), tags: v.optional(v.array(v.string())) }),
  ),
  settings: v.optional(v.strictObject({ dark: v.optional(v.boolean()) })),
  boxes: v.optional(v.record(v.string(), v.strictObject({ open: v.optional(v.boolean()) }))),
  labels: v.optional(v.record(v.string(), v.number())),
  amount: v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => BigInt(text)),
    ),
  ),
});

function app() {
  const { app, logger } = testApp();
  const reached: unknown[] = [];
  app.post('/people', validated('json', Registration), (c) => {
    reached.push(c.req.valid('json'));
    return c.json({ ok: true }, 201);
  });
  app.get('/people', validated('query', v.strictObject({ name: v.optional(v.string()) })), (c) => {
    reached.push(c.req.valid('query'));
    return c.json({ ok: true });
  });
  app.get(
    '/people/:id',
    validated('param', v.strictObject({ id: v.pipe(v.string(), v.uuid()) })),
    (c) => c.json({}),
  );
  app.post('/form', validated('form', v.strictObject({ name: v.string() })), (c) =>
    c.json(c.req.valid('form')),
  );
  app.get('/me', (c) => {
    if (getCookie(c, 'session') !== 'good') throw new NotSignedIn();
    return c.json({});
  });
  return { app, logger, reached };
}

const post = (
  body: string | Blob | Buffer<ArrayBuffer>,
  contentType: string | null = 'application/json',
  headers = {},
) => ({
  method: 'POST',
  body,
  headers: contentType === null ? headers : { 'Content-Type': contentType, ...headers },
});

const marker = 'zq7marker';
const good = { email: 'ann@example.com', password: 'correct horse' };
const json = (change: object) => JSON.stringify({ ...good, ...change });
const bytes = (...parts: (string | number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))),
  );

interface Case {
  name: string;
  body: string | Blob | Buffer<ArrayBuffer>;
  status?: number;
  code?: string;
  contentType?: string | null;
  headers?: Record<string, string>;
  error?: { pointer: string; code: string };
}

const invalid = 'core.validation_failed';
const malformed = 'http.malformed_body';
const cases: Case[] = [
  {
    name: 'a list where every field is optional',
    body: json({ settings: [] }),
    error: { pointer: '/settings', code: 'invalid_type' },
  },
  {
    name: 'a list under a key of the client',
    body: json({ boxes: { [marker]: [] } }),
    error: { pointer: '/boxes', code: 'invalid_type' },
  },
  { name: 'malformed JSON', body: `{"email": "${marker}`, code: malformed },
  { name: 'an empty body', body: '', code: malformed },
  { name: 'a wrong content type', body: marker, contentType: 'text/plain', status: 415 },
  { name: 'a missing content type', body: new Blob([marker]), contentType: null, status: 415 },
  {
    name: 'another character set',
    body: json({}),
    contentType: 'application/json; charset=utf-16',
    status: 415,
  },
  {
    name: 'a compressed body',
    body: json({}),
    headers: { 'Content-Encoding': 'gzip' },
    status: 415,
  },
  { name: 'invalid UTF-8', body: bytes('{"email":"', [0xc3, 0x28], '"}'), code: malformed },
  {
    name: 'an overlong UTF-8 form',
    body: bytes('{"email":"', [0xc0, 0x80], '"}'),
    code: malformed,
  },
  { name: 'lists 10 000 deep', body: '['.repeat(10_000) + ']'.repeat(10_000), code: malformed },
  {
    name: 'objects 10 000 deep',
    body: '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000),
    code: malformed,
  },
  {
    name: 'a list for an object',
    body: `["${marker}"]`,
    error: { pointer: '', code: 'invalid_type' },
  },
  { name: 'null for an object', body: 'null', error: { pointer: '', code: 'invalid_type' } },
  {
    name: 'a text for an object',
    body: `"${marker}"`,
    error: { pointer: '', code: 'invalid_type' },
  },
  {
    name: '__proto__',
    body: `{"__proto__":{"${marker}":1},"email":"a@b.de","password":"12345678"}`,
    error: { pointer: '', code: 'unknown_field' },
  },
  {
    name: '__proto__ below',
    body: json({ profile: JSON.parse(`{"__proto__":{"x":"${marker}"}}`) }),
    error: { pointer: '/profile', code: 'unknown_field' },
  },
  {
    name: 'constructor',
    body: json({ constructor: { prototype: { x: marker } } }),
    error: { pointer: '', code: 'unknown_field' },
  },
  {
    name: 'an unknown field',
    body: json({ [marker]: 1 }),
    error: { pointer: '', code: 'unknown_field' },
  },
  {
    name: 'an unknown field below',
    body: json({ profile: { nickname: 'a', [marker]: 1 } }),
    error: { pointer: '/profile', code: 'unknown_field' },
  },
  {
    name: 'a wrong value under a key of the client',
    body: json({ labels: { [marker]: marker } }),
    error: { pointer: '/labels', code: 'invalid_type' },
  },
  {
    name: 'a NUL',
    body: json({ email: `${marker}\0@example.com` }),
    error: { pointer: '/email', code: 'nul_character' },
  },
  {
    name: 'a NUL in a key',
    body: json({ labels: { [`${marker}\0`]: 1 } }),
    error: { pointer: '/labels', code: 'nul_character' },
  },
  {
    name: 'a lone surrogate',
    body: `{"email":"${marker}\\ud800","password":"12345678"}`,
    error: { pointer: '/email', code: 'lone_surrogate' },
  },
  {
    name: 'a password of 1 MB',
    body: json({ password: marker.repeat(120_000) }),
    error: { pointer: '/password', code: 'max_length' },
  },
  {
    name: 'an address of 300 characters',
    body: json({ email: `${'a'.repeat(280)}${marker}@example.com` }),
    error: { pointer: '/email', code: 'max_length' },
  },
  {
    name: 'an address with CRLF',
    body: json({ email: `a@example.com\r\nBcc: ${marker}@example.com` }),
    error: { pointer: '/email', code: 'email' },
  },
  {
    name: 'a missing field',
    body: JSON.stringify({ email: good.email }),
    error: { pointer: '/password', code: 'required' },
  },
  {
    name: 'a wrong type in a list',
    body: json({ profile: { nickname: 'a', tags: ['a', { [marker]: 1 }] } }),
    error: { pointer: '/profile/tags/1', code: 'invalid_type' },
  },
  {
    name: 'a value that a conversion throws on',
    body: json({ amount: marker }),
    error: { pointer: '', code: 'invalid' },
  },
];

test.each(cases)('$name is refused, and nothing of it comes back', async (one) => {
  const { app: server, logger, reached } = app();
  const response = await server.request('/people', post(one.body, one.contentType, one.headers));
  const problem = await problemIn(response);
  const status = one.status ?? 400;
  expect(response.status).toBe(status);
  expect(problem).toMatchObject({
    status,
    code: one.code ?? (status === 415 ? 'http.unsupported_media_type' : invalid),
  });
  if (one.error !== undefined)
    expect(problem['errors']).toContainEqual({ ...one.error, message: expect.any(String) });
  expect(reached).toEqual([]);
  const said = JSON.stringify([problem, [...response.headers], logger.lines]);
  expect(said).not.toContain(marker);
  expect(said).not.toContain('correct horse');
});

test('good input gets through, also with a charset, a suffix type and nesting below the limit', async () => {
  const { app: server, reached } = app();
  for (const type of [
    'application/json; charset=utf-8',
    'application/merge-patch+json',
    'APPLICATION/JSON',
  ]) {
    expect((await server.request('/people', post(json({ labels: { a: 1 } }), type))).status).toBe(
      201,
    );
  }
  expect(reached).toHaveLength(3);
  expect(reached[0]).toEqual({ ...good, labels: { a: 1 } });
});

test('an answer lists at most 50 faults', async () => {
  const { app: server } = app();
  const tags = Array.from({ length: 1000 }, () => 1);
  const problem = await problemIn(
    await server.request('/people', post(json({ profile: { nickname: 'a', tags } }))),
  );
  expect(problem['errors']).toHaveLength(50);
});

test.each([
  ['/people?name=%zz', 'http.malformed_url'],
  ['/people?name=%ff', 'http.malformed_url'],
  ['/people?name=%', 'http.malformed_url'],
  ['/people?name=a%00', 'http.malformed_url'],
  ['/people?__proto__=a', invalid],
  ['/people?zq7marker=a', invalid],
  ['/people?name=zq7marker&name=b', invalid],
  ['/people/%zz', 'http.malformed_url'],
  ['/people/%00', 'http.malformed_url'],
  ['/people/zq7marker', invalid],
  ['/nowhere/%e0%a4%a', 'http.malformed_url'],
])('GET %s is refused with %s', async (path, code) => {
  const { app: server } = app();
  const response = await server.request(path);
  const problem = await problemIn(response);
  expect(problem).toMatchObject({ status: 400, code });
  expect(JSON.stringify(problem)).not.toContain(marker);
});

test.each(['session=%zz', 'session=%', '%%%=%%%', '=;;=;', 'session=%00', '\u00ff=\u00fe'])(
  'the cookie %s is refused like any that is not good',
  async (cookie) => {
    const response = await app().app.request('/me', { headers: { Cookie: cookie } });
    expect(await problemIn(response)).toMatchObject({ status: 401, code: 'test.not_signed_in' });
    expect(response.headers.get('WWW-Authenticate')).toBe('Bearer');
  },
);

test.each<[string, string | Blob | Buffer<ArrayBuffer>, string, number]>([
  ['a broken encoding', 'name=%zz', 'application/x-www-form-urlencoded', 400],
  ['a NUL', 'name=a%00', 'application/x-www-form-urlencoded', 400],
  ['a field twice', 'name=a&name=b', 'application/x-www-form-urlencoded', 400],
  ['a multipart body without its boundary', 'name=a', 'multipart/form-data', 400],
  ['JSON', '{"name":"a"}', 'application/json', 415],
])('a form with %s is refused', async (_, body, type, status) => {
  const response = await app().app.request('/form', post(body, type));
  expect(await problemIn(response)).toMatchObject({ status });
});

test('a form gets through in both encodings', async () => {
  const { app: server } = app();
  const multipart = new FormData();
  multipart.set('name', 'Zoë');
  expect(await (await server.request('/form', { method: 'POST', body: multipart })).json()).toEqual(
    { name: 'Zoë' },
  );
  const encoded = post('name=Zo%C3%AB+', 'application/x-www-form-urlencoded');
  expect(await (await server.request('/form', encoded)).json()).toEqual({ name: 'Zoë ' });
});

test.each([
  '{"__proto__":{"admin":true}}',
  '{"a":{"constructor":{"prototype":{"admin":true}}}}',
  '[{"toString":1}]',
])('%s is refused even by a schema that takes anything', async (body) => {
  const { app: server } = testApp();
  server.post('/any', validated('json', v.any()), (c) => c.json({}));
  const problem = await problemIn(await server.request('/any', post(body)));
  expect(problem).toMatchObject({ status: 400, errors: [{ pointer: '', code: 'unknown_field' }] });
});

test.each([
  ['a flat list', `[${'0,'.repeat(500_000)}0]`],
  ['a list 60 deep', `${'['.repeat(60)}${'0,'.repeat(500_000)}0${']'.repeat(60)}`],
  ['half a million keys', `{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":0`).join(',')}}`],
])('%s of a megabyte is refused before anything judges its values', async (_, body) => {
  const { app: server } = app();
  const answer = await server.request('/people', post(body));
  expect(await problemIn(answer)).toMatchObject({ status: 400, code: 'http.malformed_body' });
});

test('a form of a megabyte of fields is refused before they are counted', async () => {
  const { app: server } = app();
  const form = post('a&'.repeat(500_000), 'application/x-www-form-urlencoded');
  const answer = await server.request('/form', form);
  expect(await problemIn(answer)).toMatchObject({ status: 400, code: 'http.malformed_body' });
});
