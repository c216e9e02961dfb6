import { describe, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import {
  baseUrl,
  control,
  expectProblem,
  goodPassword,
  newAddress,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';

describe('every error is a conforming problem', () => {
  const cases: [string, () => Promise<Response>, number][] = [
    ['an unknown path', () => request('/nowhere'), 404],
    [
      'an unknown project',
      async () =>
        request('/projects/01900000-0000-7000-8000-00000000ffff', {
          as: (await signUpInTenant()).token,
        }),
      404,
    ],
    ['no tenant', async () => request('/projects', { as: (await signUp()).token }), 404],
    ['no session', () => request('/projects'), 401],
    ['a made-up session', () => request('/projects', { as: 'A'.repeat(43) }), 401],
    [
      'malformed JSON',
      () =>
        request('/auth/login', {
          body: '{"email":',
          headers: { 'content-type': 'application/json' },
        }),
      400,
    ],
    [
      'a wrong content type',
      () => request('/auth/login', { body: 'email=x', headers: { 'content-type': 'text/plain' } }),
      415,
    ],
    ['a missing field', () => request('/auth/register', { json: { email: newAddress() } }), 400],
    [
      'a wrong password',
      () => request('/auth/login', { json: { email: newAddress(), password: goodPassword } }),
      401,
    ],
    ['a made-up token', () => request('/auth/verify', { json: { token: 'A'.repeat(43) } }), 400],
    ['a method the path does not have', () => request('/ping', { method: 'DELETE' }), 405],
    ['a slow handler', () => request('/_acceptance/slow?ms=20000'), 504],
    [
      'a body too large',
      () => request('/auth/login', { json: { email: 'x'.repeat(2_000_000) } }),
      413,
    ],
    ['a bug', () => request('/_acceptance/broken'), 500],
  ];
  test.each(cases)('%s', async (_, send, status) => {
    const problem = await expectProblem(await send(), status);
    expect(problem.type).toContain(problem.code);
    const page = await fetch(problem.type);
    expect([problem.type, page.status]).toEqual([problem.type, 200]);
    expect(page.headers.get('content-type')).toContain('text/html');
  });
});

test('a path has the methods it has, and 405 names them', async () => {
  const answer = await request('/projects', { method: 'PUT', as: (await signUp()).token });
  await expectProblem(answer.clone(), 405);
  expect(answer.headers.get('allow')?.split(/,\s*/)).toEqual(
    expect.arrayContaining(['GET', 'POST']),
  );
});

test('validation faults point at the fields and echo no value', async () => {
  const secret = 'a submitted value that must not come back';
  const answer = await request('/auth/register', {
    json: { email: 7, password: secret.repeat(100), [secret]: secret },
  });
  const problem = await expectProblem(answer, 400);
  expect(problem.errors?.map((error) => error.pointer)).toEqual(
    expect.arrayContaining(['/email', '/password']),
  );
  expect(JSON.stringify(problem)).not.toContain(secret);
});

test('a bug is a bare 500: the cause is in the log, under the same request id, and nowhere else', async () => {
  const answer = await request('/_acceptance/broken');
  const body = await answer.text();
  expect(body).not.toMatch(/swordfish|Error|\.ts|stack/);
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  const requestId = answer.headers.get('x-request-id') as string;
  await waitFor('the cause in the log', 5000, async () =>
    (await control('app/log'))
      .split('\n')
      .find((each) => each.includes(requestId) && each.includes('swordfish')),
  );
});

test('a request id is accepted when it is safe, and made otherwise', async () => {
  const own = 'gate-0123456789.abc';
  expect(
    (await request('/nowhere', { headers: { 'x-request-id': own } })).headers.get('x-request-id'),
  ).toBe(own);
  for (const unsafe of ['short', 'x'.repeat(300), 'with space 123', '<script>alert(1)</script>']) {
    const answer = await request('/ping', { headers: { 'x-request-id': unsafe } });
    expect(answer.headers.get('x-request-id')).not.toBe(unsafe);
    expect(answer.headers.get('x-request-id')).toMatch(/^[\w.-]{8,128}$/);
  }
});

test('a problem does not depend on the Host header', async () => {
  const { type } = await expectProblem(
    await request('/nowhere', { headers: { host: 'evil.example' } }),
    404,
  );
  expect(type.startsWith(baseUrl)).toBe(true);
});
