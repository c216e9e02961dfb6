import { setTimeout as wait } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { anyAddress, request } from './client.ts';

test('after waiting what Retry-After says the next request passes', async () => {
  const from = anyAddress();
  const answers = await Promise.all(Array.from({ length: 250 }, () => request('/ping', { from })));
  const refused = answers.find(({ status }) => status === 429) as Response;
  expect(refused).toBeDefined();
  const again = await request('/ping', { from });
  expect(again.status).toBe(429);
  // The promise is about waiting, so this waits.
  await wait(Number(again.headers.get('retry-after')) * 1000);
  expect((await request('/ping', { from })).status).toBe(200);
});
