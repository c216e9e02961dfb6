import { csrfGuard } from '@svc/http/hono';
import { expect, test } from 'vitest';
import { problemIn, testApp } from './test-app.ts';

const ours = 'https://app.example.com';

function app() {
  const { app } = testApp();
  app.use(csrfGuard({ origins: [ours] }));
  app.on(['GET', 'POST', 'DELETE'], '/do', (c) => c.json({}));
  return app;
}

const Cookie = 'session=1';
test.each<[string, string, Record<string, string>, number]>([
  ['a request of our own page', 'POST', { Cookie, 'Sec-Fetch-Site': 'same-origin' }, 200],
  ['a request the user made', 'POST', { Cookie, 'Sec-Fetch-Site': 'none' }, 200],
  [
    'a listed origin on a sibling host',
    'POST',
    { Cookie, 'Sec-Fetch-Site': 'same-site', Origin: ours },
    200,
  ],
  ['a listed origin in an old browser', 'DELETE', { Cookie, Origin: ours }, 200],
  [
    'a request without cookies',
    'POST',
    { Authorization: 'Bearer x', 'Sec-Fetch-Site': 'cross-site' },
    200,
  ],
  ['reading', 'GET', { Cookie, 'Sec-Fetch-Site': 'cross-site' }, 200],
  [
    'another site',
    'POST',
    { Cookie, 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.test' },
    403,
  ],
  [
    'a sibling host that is not listed',
    'POST',
    { Cookie, 'Sec-Fetch-Site': 'same-site', Origin: 'https://x.example.com' },
    403,
  ],
  ['another origin in an old browser', 'DELETE', { Cookie, Origin: 'https://evil.test' }, 403],
  ['a sandboxed page', 'POST', { Cookie, Origin: 'null' }, 403],
  ['cookies with nothing that says where from', 'POST', { Cookie }, 403],
  [
    'cookies beside a token',
    'POST',
    { Cookie, Authorization: 'Bearer x', 'Sec-Fetch-Site': 'cross-site' },
    403,
  ],
])('%s: %s %o is answered with %i', async (_, method, headers, status) => {
  const response = await app().request('/do', { method, headers });
  expect(response.status).toBe(status);
  if (status === 403) expect(await problemIn(response)).toMatchObject({ code: 'http.cross_site' });
});

test('the app says which requests are guarded', async () => {
  const { app } = testApp();
  app.post('/login', csrfGuard({ guards: () => true }), (c) => c.json({}));
  expect((await app.request('/login', { method: 'POST' })).status).toBe(403);
});
