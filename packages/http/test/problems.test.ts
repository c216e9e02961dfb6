import { failure, ValidationFailed } from '@svc/core';
import { statusOf, toProblem } from '@svc/http';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { expect, test } from 'vitest';
import { problemIn, testApp } from './test-app.ts';

class Taken extends failure('test.taken', 'conflict', 'It is taken.') {}
class Busy extends failure('test.busy', 'unavailable', 'Too busy.') {}

test('each kind has its one status', () => {
  const kinds = {
    invalid: 400,
    unauthenticated: 401,
    forbidden: 403,
    not_found: 404,
    conflict: 409,
    gone: 410,
    precondition_failed: 412,
    too_large: 413,
    precondition_required: 428,
    rate_limited: 429,
    unavailable: 503,
    timeout: 504,
  } as const;
  for (const [kind, status] of Object.entries(kinds))
    expect(statusOf(kind as keyof typeof kinds)).toBe(status);
  expect(statusOf('timeout', 'http.body_timeout')).toBe(408);
});

test('a failure from a mounted app is answered by the table', async () => {
  const { app, logger } = testApp();
  const inner = new Hono().post('/names', () => {
    throw new Taken(
      { detail: 'Choose another.', field: 'name', status: 200, code: 'forged' },
      { cause: new Error('secret') },
    );
  });
  app.route('/inner', new Hono().route('/deep', inner));
  const response = await app.request('/inner/deep/names', {
    method: 'POST',
    headers: { 'X-Request-Id': 'request-0001' },
  });
  expect(response.status).toBe(409);
  expect(await problemIn(response)).toEqual({
    type: '/errors/test.taken',
    title: 'It is taken.',
    status: 409,
    code: 'test.taken',
    instance: 'urn:request:request-0001',
    request_id: 'request-0001',
    detail: 'Choose another.',
    field: 'name',
  });
  expect(logger.lines.map((line) => line.message)).toEqual(['request']);
});

test('an unknown error is a bare 500, its cause is logged with the request id and never sent', async () => {
  const { app, logger } = testApp();
  const bug = new Error('password=hunter2', { cause: new Error('deep secret') });
  app.get('/bug', () => {
    throw bug;
  });
  const response = await app.request('/bug');
  const requestId = response.headers.get('X-Request-Id');
  expect(response.status).toBe(500);
  expect(await problemIn(response)).toEqual({
    type: '/errors/http.internal',
    title: 'Something went wrong on our side.',
    status: 500,
    code: 'http.internal',
    instance: `urn:request:${requestId}`,
    request_id: requestId,
  });
  expect(logger.lines).toContainEqual({
    level: 'error',
    message: 'request failed',
    fields: { requestId, err: bug, code: 'http.internal', status: 500 },
  });
});

test('what is thrown and is no error is a 500 like any other, with every header', async () => {
  const { app, logger } = testApp();
  app.get('/bug', () => {
    throw 'secret';
  });
  const response = await app.request('/bug');
  expect(await problemIn(response)).toMatchObject({ status: 500, code: 'http.internal' });
  expect(response.headers.get('X-Request-Id')).toMatch(/^[\w-]{36}$/);
  expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
  expect(logger.lines.find((line) => line.level === 'error')?.fields['err']).toMatchObject({
    cause: 'secret',
  });
});

test('an HTTPException keeps its status and nothing of what it says', async () => {
  const { app } = testApp();
  app.get('/:status', (c) => {
    const res = new Response('secret', {
      status: 401,
      headers: { 'WWW-Authenticate': 'Basic realm="x"' },
    });
    const status = Number(c.req.param('status')) as 400;
    throw new HTTPException(status, {
      message: 'secret',
      ...(c.req.query('res') === undefined ? {} : { res }),
    });
  });
  const expected = {
    400: 'http.bad_request',
    401: 'http.unauthenticated',
    404: 'http.not_found',
    418: 'http.refused',
    503: 'http.unavailable',
  };
  for (const [status, code] of Object.entries(expected)) {
    const response = await app.request(`/${status}`);
    expect(response.status).toBe(Number(status));
    const problem = await problemIn(response);
    expect(problem).toMatchObject({ status: Number(status), code });
    expect(JSON.stringify(problem)).not.toContain('secret');
  }
  expect((await app.request('/500')).status).toBe(500);
  expect((await app.request('/502')).status).toBe(500);
  expect((await app.request('/401?res=1')).headers.get('WWW-Authenticate')).toBe('Basic realm="x"');
});

test('Retry-After is whole seconds, never less than the wait', () => {
  const answer = toProblem(new Busy({ retryAfterSeconds: 1.2 }), { requestId: 'request-0001' });
  expect(answer.headers['Retry-After']).toBe('2');
  expect(answer.status).toBe(503);
});

test('validation errors are listed', () => {
  const errors = [{ pointer: '/name', code: 'required', message: 'Is required.' }];
  const { body } = toProblem(new ValidationFailed(errors), {
    requestId: 'request-0001',
    typeBase: 'https://x.test/errors',
  });
  expect(body).toMatchObject({ errors, type: 'https://x.test/errors/core.validation_failed' });
});

test('a failure that is the service’s own fault is logged with its cause', async () => {
  const { app, logger } = testApp();
  const cause = new Error('connection lost');
  app.get('/busy', () => {
    throw new Busy({}, { cause });
  });
  await app.request('/busy');
  const line = logger.lines.find((one) => one.message === 'request refused');
  expect(line?.fields['err']).toMatchObject({ cause });
});
