import { expect, test } from 'vitest';
import { control, request } from './client.ts';

test('the app is ready, and its probes say so', async () => {
  for (const probe of ['/healthz', '/readyz', '/startupz']) {
    expect([probe, (await request(probe)).status]).toEqual([probe, 200]);
  }
});

test('svc migrates an empty database of this stack, and seeds it', async () => {
  const migrated = await control('svc', { args: ['db', 'migrate', '--json'], database: 'a0' });
  expect(migrated).toMatchObject({ exitCode: 0 });
  const seeded = await control('svc', { args: ['db', 'seed', '--json'], database: 'a0' });
  expect(seeded).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('demo_project') });
});
