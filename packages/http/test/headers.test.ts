import { Hono } from 'hono';
import { describe, expect, test } from 'vitest';
import { cors, csrfGuard, problems, type HttpEnv } from '../src/hono.ts';
import { openApp } from './open-app.ts';

const { app } = openApp();

test.each(['/orders', '/nowhere', '/orders/bug', '/docs', '/errors/internal'])('%s has every security header', async (path) => {
  const { headers } = await app.request(path);
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('referrer-policy')).toBe('no-referrer');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'/);
});

describe('CORS', () => {
  const listed = 'https://app.example.test';
  test('a listed origin is answered, preflight and errors included', async () => {
    const preflight = await app.request('/orders', { method: 'OPTIONS', headers: { origin: listed, 'access-control-request-method': 'POST' } });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([204, listed]);
    const error = await app.request('/orders/bug', { headers: { origin: listed } });
    expect(error.headers.get('access-control-allow-origin')).toBe(listed);
    expect(error.headers.get('access-control-allow-credentials')).toBe('true');
    expect(error.headers.get('vary')).toMatch(/origin/i);
  });
  test.each(['https://evil.example', 'null', `${listed}.evil.example`, 'http://app.example.test'])('origin %s is not reflected', async (origin) => {
    for (const method of ['OPTIONS', 'GET']) {
      const { headers } = await app.request('/orders', { method, headers: { origin, 'access-control-request-method': 'POST' } });
      expect(headers.get('access-control-allow-origin')).toBeNull();
    }
  });
  test.each(['*', 'app.example.test', 'https://app.example.test/'])('%s is not taken for an origin', (origin) => {
    expect(() => cors({ origins: [origin] })).toThrow(TypeError);
  });
});

describe('the CSRF guard', () => {
  const guarded = new Hono<HttpEnv>();
  problems(guarded, { typeBase: 'https://api.example.test/errors' });
  guarded.use(csrfGuard({ origins: ['https://app.example.test'] }));
  guarded.all('/', (c) => c.text('in'));
  const cases: [string, Record<string, string>, number][] = [
    ['no browser', {}, 200],
    ['the same origin', { 'sec-fetch-site': 'same-origin', origin: 'https://api.example.test' }, 200],
    ['a typed address', { 'sec-fetch-site': 'none' }, 200],
    ['a listed origin', { 'sec-fetch-site': 'cross-site', origin: 'https://app.example.test' }, 200],
    ['a listed origin in an old browser', { origin: 'https://app.example.test' }, 200],
    ['another site', { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }, 403],
    ['another site without an origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ['a sister domain', { 'sec-fetch-site': 'same-site', origin: 'https://blog.example.test' }, 403],
    ['another origin in an old browser', { origin: 'https://evil.example' }, 403],
    ['a sandboxed frame', { origin: 'null' }, 403],
    ['an unknown word', { 'sec-fetch-site': 'friendly' }, 403],
  ];
  test.each(cases)('%s', async (_, headers, status) => {
    expect((await guarded.request('/', { method: 'POST', headers })).status).toBe(status);
    expect((await guarded.request('/', { headers })).status).toBe(200);
  });
});
