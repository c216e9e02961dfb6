import { systemClock } from '@svc/core';
import { testClock } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { describe } from 'vitest';
import { memoryInbox } from '../src/index.ts';
import { webhooksMigrations } from '../src/migrations.ts';
import { postgresInbox } from '../src/stores/postgres.ts';
import { describeWebhookInbox, type OpenInbox } from '../src/testing.ts';

describeWebhookInbox('memory', async () => {
  const clock = testClock();
  return { inbox: memoryInbox({ clock }), pass: (ms) => clock.advance(`${ms}ms`) };
});

for (const engine of ['postgres', 'pglite'] as const) {
  const test = databaseTest([webhooksMigrations], { engine });
  describe(engine, () => {
    let opened: OpenInbox;
    test.beforeAll(({ db }) => {
      // Its clock is the server's: time has to pass there.
      opened = { inbox: postgresInbox(db), pass: (ms) => systemClock.sleep(ms) };
    });
    describeWebhookInbox('inbox', async () => opened);
  });
}
