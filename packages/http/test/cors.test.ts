import { cors } from '@svc/http/hono';
import { expect, test } from 'vitest';
import { testApp } from './test-app.ts';

const ours = 'https://app.example.com';
const evil = 'https://app.example.com.evil.test';
const allowOrigin = 'Access-Control-Allow-Origin';

function app() {
  const { app } = testApp({ corsOptions: { origins: [ours], credentials: true } });
  app.get('/ok', (c) => c.json({}));
  app.get('/bug', () => {
    throw new Error('bug');
  });
  return app;
}

test.each([
  ['/ok', 200],
  ['/bug', 500],
  ['/nowhere', 404],
])('%s answers %i with what a listed origin may read', async (path, status) => {
  const { headers, status: actual } = await app().request(path, { headers: { Origin: ours } });
  expect(actual).toBe(status);
  expect(headers.get(allowOrigin)).toBe(ours);
  expect(headers.get('Access-Control-Allow-Credentials')).toBe('true');
  expect(headers.get('Access-Control-Expose-Headers')).toContain('X-Request-Id');
  expect(headers.get('Vary')?.split(', ')).toContain('Origin');
});

test.each([evil, 'null', 'http://app.example.com', 'https://APP.example.com', ''])(
  'the origin %s is never named',
  async (origin) => {
    const simple = await app().request('/ok', { headers: { Origin: origin } });
    const preflight = await app().request('/ok', {
      method: 'OPTIONS',
      headers: { Origin: origin, 'Access-Control-Request-Method': 'PUT' },
    });
    for (const { headers } of [simple, preflight]) {
      expect([...headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
      expect(headers.get('Vary')).toContain('Origin');
    }
  },
);

test('Vary names the origin also where none was sent', async () => {
  expect((await app().request('/ok')).headers.get('Vary')).toBe('Origin');
});

test('a preflight is answered with 204, an id and the security headers', async () => {
  const response = await app().request('/ok', {
    method: 'OPTIONS',
    headers: {
      Origin: ours,
      'Access-Control-Request-Method': 'PUT',
      'Access-Control-Request-Headers': 'x-evil',
    },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get(allowOrigin)).toBe(ours);
  expect(response.headers.get('Access-Control-Allow-Methods')).toContain('PUT');
  expect(response.headers.get('Access-Control-Allow-Headers')).not.toContain('evil');
  expect(response.headers.get('Access-Control-Max-Age')).toBe('600');
  expect(response.headers.get('X-Request-Id')).not.toBeNull();
  expect(response.headers.get('X-Content-Type-Options')).toBe('nosniff');
});

test('any origin may be allowed, without credentials', async () => {
  const { app } = testApp({ corsOptions: { origins: '*' } });
  app.get('/ok', (c) => c.json({}));
  const { headers } = await app.request('/ok', { headers: { Origin: evil } });
  expect(headers.get(allowOrigin)).toBe('*');
  expect(headers.has('Access-Control-Allow-Credentials')).toBe(false);
});

test('options that cannot be meant are refused', () => {
  expect(() => cors({ origins: '*', credentials: true })).toThrow(TypeError);
  for (const origin of ['*', 'null', 'app.example.com', `${ours}/`, 'https://APP.example.com']) {
    expect(() => cors({ origins: [origin] })).toThrow(TypeError);
  }
});
