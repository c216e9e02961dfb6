import { expect, test } from 'vitest';
import { request } from './client.ts';

const answers: [string, () => Promise<Response>][] = [
  ['an answer', () => request('/ping')],
  ['a page', () => request('/docs')],
  ['a probe', () => request('/healthz')],
  ['a 401', () => request('/projects')],
  ['a 404', () => request('/nowhere')],
  ['a 405', () => request('/ping', { method: 'DELETE' })],
  ['a 413', () => request('/auth/login', { json: { email: 'x'.repeat(2_000_000) } })],
];

test.each(answers)('%s carries every security header', async (_, send) => {
  const { headers } = await send();
  expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}/);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('referrer-policy')).toMatch(/^(?:no-referrer|same-origin|strict-origin)/);
  expect(headers.get('x-frame-options')).toBe('DENY');
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'/);
  expect(headers.get('content-security-policy')).not.toMatch(/unsafe-(?:inline|eval)/);
  expect(headers.get('x-request-id')).toMatch(/^[\w.-]{8,128}$/);
  expect(headers.get('x-powered-by')).toBeNull();
});
