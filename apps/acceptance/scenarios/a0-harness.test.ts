import { expect, test } from 'vitest';
import { request, signUp } from './client.ts';

test('the app is ready, and its probes say so', async () => {
  for (const probe of ['/healthz', '/readyz', '/startupz']) {
    expect([probe, (await request(probe)).status]).toEqual([probe, 200]);
  }
});

test('what svc seeded before the app started is a project of its owner, and of nobody else', async () => {
  const { token } = await signUp();
  expect(await (await request('/projects', { as: token })).json()).toEqual({
    items: [],
    nextCursor: null,
  });
});
