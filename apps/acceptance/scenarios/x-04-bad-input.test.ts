import { beforeAll, expect, test } from 'vitest';
import {
  control,
  expectProblem,
  goodPassword,
  newAddress,
  request,
  signUpInTenant,
} from './client.ts';

let token: string;
beforeAll(async () => {
  ({ token } = await signUpInTenant());
});

const json = (body: string | Uint8Array<ArrayBuffer>, contentType = 'application/json') =>
  request('/projects', { as: token, body, headers: { 'content-type': contentType } });
const canary = 'canary-7d1f';

const bodies: [string, string | Uint8Array<ArrayBuffer>, number][] = [
  ['malformed JSON', `{"name":"${canary}"`, 400],
  ['nothing', '', 400],
  [
    'invalid UTF-8',
    new Uint8Array([0x7b, 0x22, 0x6e, 0x61, 0x6d, 0x65, 0x22, 0x3a, 0x22, 0xff, 0xfe, 0x22, 0x7d]),
    400,
  ],
  ['depth 10 000', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 400],
  ['an object 10 000 deep', `${'{"name":'.repeat(10_000)}1${'}'.repeat(10_000)}`, 400],
  ['an array for an object', `["${canary}"]`, 400],
  ['null for an object', 'null', 400],
  ['__proto__', `{"name":"a","__proto__":{"admin":"${canary}"}}`, 400],
  ['constructor', `{"name":"a","constructor":{"prototype":{"admin":"${canary}"}}}`, 400],
  ['an unknown field', `{"name":"a","${canary}":1}`, 400],
  ['NUL in a string', String.raw`{"name":"${canary}\u0000"}`, 400],
  ['a lone surrogate', String.raw`{"name":"${canary}\ud800"}`, 400],
  ['a number for a string', `{"name":7}`, 400],
  ['a name that is too long', JSON.stringify({ name: canary.repeat(100) }), 400],
];

test.each(bodies)('%s is refused', async (_, body, status) => {
  const problem = await expectProblem(await json(body), status);
  expect(JSON.stringify(problem)).not.toContain(canary);
});

test('a wrong content type is refused', async () => {
  for (const type of [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/xml',
    'nonsense',
  ])
    await expectProblem(await json('{"name":"a"}', type), 415);
});

test('nothing of it was stored', async () => {
  expect(await (await request('/projects', { as: token })).json()).toEqual({
    items: [],
    nextCursor: null,
  });
});

const refused = [
  { what: 'a 1 MB password', email: newAddress(), password: 'x'.repeat(1_000_000) },
  {
    what: 'a 300-character address',
    email: `${'x'.repeat(300)}@example.test`,
    password: goodPassword,
  },
  { what: 'CRLF', email: 'a@example.test\r\nBcc: b@example.test', password: goodPassword },
  { what: 'NUL', email: 'a\u0000@example.test', password: goodPassword },
  { what: 'a list', email: 'a@example.test,b@example.test', password: goodPassword },
];

test.each(refused)('$what in a registration is refused', async ({ email, password }) => {
  const problem = await expectProblem(
    await request('/auth/register', { json: { email, password } }),
    400,
  );
  expect(JSON.stringify(problem)).not.toContain(email);
});

test('no refused registration left an account, and no injected recipient gets mail', async () => {
  for (const { email } of refused) await request('/auth/password/forgot', { json: { email } });
  const barrier = newAddress();
  await request('/auth/register', { json: { email: barrier, password: goodPassword } });
  await control('mail/next', { to: barrier, timeoutMs: 10_000 });
  for (const to of ['a@example.test', 'b@example.test', refused[0]?.email ?? '']) {
    expect(await control('mail/all', { to })).toEqual([]);
  }
});

test.each(['%', '%00', '%ff', '..%2f..%2fetc', "' or 1=1--", '9'.repeat(5000)])(
  'a project id %j is not a server error',
  async (id) => {
    const answer = await request(`/projects/${id}`, { as: token });
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(answer.status).toBeLessThan(500);
  },
);

test.each([
  'limit=0',
  'limit=101',
  'limit=x',
  'limit=1&limit=2',
  'cursor=x',
  'cursor=%00',
  'unknown=1',
])('a query %j is refused', async (query) => {
  await expectProblem(await request(`/projects?${query}`, { as: token }), 400);
});
