import { systemClock } from '@svc/core';
import { testClock } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { describe } from 'vitest';
import { memoryStore } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { describeJobFlows, describeJobStore } from '../src/testing.ts';

const openMemory = () => {
  const clock = testClock();
  const store = memoryStore({ clock });
  return { stores: [store, store], wait: (ms: number) => clock.advance(`${ms}ms`) } as const;
};
describeJobStore('memory', openMemory);
describeJobFlows('memory', openMemory);

for (const engine of ['postgres', 'pglite'] as const) {
  const databased = databaseTest([jobsMigrations], { engine });
  describe(engine, () => {
    let open: () => Parameters<typeof postgresStore>[0];
    databased.beforeAll(({ db }) => {
      open = () => db;
    });
    const openStores = () =>
      ({
        stores: [postgresStore(open()), postgresStore(open())],
        wait: (ms: number) => systemClock.sleep(ms),
      }) as const;
    describeJobStore(engine, openStores);
    describeJobFlows(engine, openStores);
  });
}
