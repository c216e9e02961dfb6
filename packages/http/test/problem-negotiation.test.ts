import { expect, test } from 'vitest';
import { testApp } from './test-app.ts';

const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

test('a browser that follows a link gets a page with the status, the advice and the request id', async () => {
  const { app } = testApp();
  const answer = await app.request('/nowhere', { headers: { accept: browser } });
  expect(answer.status).toBe(404);
  expect(answer.headers.get('content-type')).toMatch(/^text\/html/);
  expect(answer.headers.get('vary')).toContain('Accept');
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  const page = await answer.text();
  expect(page).toContain('http.not_found');
  expect(page).toContain(answer.headers.get('x-request-id'));
});

test('what a page says of a bug is no more than a problem says', async () => {
  const { app } = testApp();
  app.get('/broken', () => {
    throw new Error('the password is swordfish');
  });
  const answer = await app.request('/broken', { headers: { accept: browser } });
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toMatch(/swordfish|\.ts/);
});

test.each([
  undefined,
  '*/*',
  'application/json',
  'application/problem+json, text/html;q=0.5',
  'text/html, application/json',
  'text/html;q=0',
  'text/*',
])('who accepts %s gets the problem', async (accept) => {
  const { app } = testApp();
  const headers = accept === undefined ? {} : { accept };
  const answer = await app.request('/nowhere', { headers });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
});
