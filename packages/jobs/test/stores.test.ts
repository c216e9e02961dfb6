import { systemClock } from '@svc/core';
import { testClock } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { describe } from 'vitest';
import { memoryStore } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { describeJobStore } from '../src/testing.ts';

describeJobStore('memory', () => {
  const clock = testClock();
  const store = memoryStore({ clock });
  return { stores: [store, store], wait: (ms) => clock.advance(`${ms}ms`) };
});

for (const engine of ['postgres', 'pglite'] as const) {
  const databased = databaseTest([jobsMigrations], { engine });
  describe(engine, () => {
    let open: () => Parameters<typeof postgresStore>[0];
    databased.beforeAll(({ db }) => {
      open = () => db;
    });
    describeJobStore(engine, () => ({
      stores: [postgresStore(open()), postgresStore(open())],
      wait: (ms) => systemClock.sleep(ms),
    }));
  });
}
