import fc from 'fast-check';
import { expect, test } from 'vitest';
import { openApp, post } from './open-app.ts';

const canary = 'canary-51f0';
const { app } = openApp();

const bodies: [string, string | Uint8Array<ArrayBuffer> | null, string][] = [
  ['JSON that is cut off', `{"article":"${canary}`, 'http.malformed_body'],
  ['no body', null, 'http.malformed_body'],
  ['invalid UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 'http.malformed_body'],
  ['depth 10 000', '['.repeat(10_000) + ']'.repeat(10_000), 'http.malformed_body'],
  ['an object 10 000 deep', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 'http.malformed_body'],
  ['__proto__', `{"article":"a","__proto__":{"x":"${canary}"}}`, 'http.malformed_body'],
  ['NUL in a string', String.raw`{"article":"${canary}\u0000"}`, 'http.malformed_body'],
  ['NUL in a key', String.raw`{"${canary}\u0000":1}`, 'http.malformed_body'],
  ['a lone surrogate', String.raw`{"article":"\ud800"}`, 'http.malformed_body'],
  ['an array for an object', `["${canary}"]`, 'core.validation_failed'],
  ['null for an object', 'null', 'core.validation_failed'],
  ['constructor', `{"article":"a","constructor":{"prototype":{}}}`, 'core.validation_failed'],
  ['an unknown field', `{"article":"a","${canary}":"${canary}"}`, 'core.validation_failed'],
  ['a text that is too long', JSON.stringify({ article: canary.repeat(50_000) }), 'core.validation_failed'],
];

test.each(bodies)('%s is a 400 that echoes nothing', async (_, body, code) => {
  const answer = await post(app, body);
  const text = await answer.text();
  expect([answer.status, JSON.parse(text).code]).toEqual([400, code]);
  expect(text).not.toContain(canary);
});

test.each([undefined, 'text/plain', 'application/x-www-form-urlencoded', 'application/jsonx', 'json', ''])('content type %j is a 415', async (type) => {
  const answer = await app.request('/orders', { method: 'POST', body: new TextEncoder().encode('{"article":"a"}'), headers: type === undefined ? {} : { 'content-type': type } });
  expect(answer.status).toBe(415);
});

test.each(['application/json; charset=utf-8', 'Application/JSON', 'application/merge-patch+json'])('content type %j is JSON', async (type) => {
  expect((await post(app, '{"article":"a"}', { 'content-type': type })).status).toBe(201);
});

test('nesting is counted outside strings only', async () => {
  expect((await post(app, JSON.stringify({ article: '[[[[{{{{', tags: ['"['.repeat(200)] }))).status).toBe(201);
});

test('faults name pointer, code and demand of each field', async () => {
  const answer = await post(app, JSON.stringify({ count: 0.5, tags: ['a', 7], other: 1 }));
  const { errors } = (await answer.json()) as { errors: { pointer: string; code: string }[] };
  expect(errors.map(({ pointer, code }) => `${pointer} ${code}`).toSorted()).toEqual([' unknown_field', '/article required', '/count integer', '/count min_value', '/tags/1 wrong_type']);
});

test('a form is read as one, and never in the place of JSON', async () => {
  const form = (body: string) => app.request('/orders/form', { method: 'POST', body, headers: { 'content-type': 'application/x-www-form-urlencoded' } });
  expect(await (await form('article=a+b')).json()).toEqual({ article: 'a b' });
  for (const body of ['', 'article=a&article=b', 'article=%00', 'article=a&x=1']) expect([body, (await form(body)).status]).toEqual([body, 400]);
});

test.each(['limit=x', 'limit=1&limit=2', 'other=1', 'limit=%00', '%'])('query %j is a 400', async (query) => {
  expect((await app.request(`/orders?${query}`)).status).toBe(400);
});

test('no body at all makes a server error', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.json(), fc.string({ unit: 'binary' }), fc.uint8Array()), async (body) => {
      expect((await post(app, body as string)).status).toBeLessThan(500);
    }),
    { numRuns: 300 },
  );
});
