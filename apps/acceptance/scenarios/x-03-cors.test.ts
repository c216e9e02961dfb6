import { expect, test } from 'vitest';
import { request } from './client.ts';

const listed = 'https://app.example.test';
const foreign = 'https://evil.example';

const preflight = (origin: string) =>
  request('/projects', {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  });

test('a preflight of a listed origin is answered as configured', async () => {
  const { status, headers } = await preflight(listed);
  expect(status).toBe(204);
  expect(headers.get('access-control-allow-origin')).toBe(listed);
  expect(headers.get('access-control-allow-credentials')).toBe('true');
  expect(headers.get('access-control-allow-methods')).toContain('POST');
  expect(headers.get('access-control-allow-headers')?.toLowerCase()).toContain('content-type');
  expect(headers.get('vary')?.toLowerCase()).toContain('origin');
});

test('an origin that is not listed is never reflected', async () => {
  for (const origin of [
    foreign,
    'null',
    `${listed}.evil.example`,
    listed.toUpperCase().replace('HTTPS', 'http'),
  ]) {
    for (const answer of [
      await preflight(origin),
      await request('/ping', { headers: { origin } }),
    ]) {
      expect([origin, answer.headers.get('access-control-allow-origin')]).toEqual([origin, null]);
    }
  }
});

test('errors carry the CORS headers, so that a page can read them', async () => {
  const answer = await request('/projects', { headers: { origin: listed } });
  expect(answer.status).toBe(401);
  expect(answer.headers.get('access-control-allow-origin')).toBe(listed);
  expect(answer.headers.get('access-control-expose-headers')?.toLowerCase()).toContain(
    'x-request-id',
  );
});
