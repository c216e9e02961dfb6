import { expect, test } from 'vitest';
import { request } from './client.ts';

test('the app is ready, and its probes say so', async () => {
  for (const probe of ['/healthz', '/readyz', '/startupz']) {
    expect([probe, (await request(probe)).status]).toEqual([probe, 200]);
  }
});
