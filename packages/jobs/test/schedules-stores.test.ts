import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import { memoryScheduleStore } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresScheduleStore } from '../src/schedules/stores/postgres.ts';
import { describeScheduleStore } from '../src/schedules/testing.ts';

const memory = memoryScheduleStore();
describeScheduleStore('memory', async () => ({ stores: [memory, memory] }));

for (const engine of ['postgres', 'pglite'] as const) {
  const databased = databaseTest([jobsMigrations], { engine });
  describe(engine, () => {
    let open: () => Parameters<typeof postgresScheduleStore>[0];
    databased.beforeAll(({ db }) => {
      open = () => db;
    });
    describeScheduleStore(engine, async () => ({
      stores: [postgresScheduleStore(open()), postgresScheduleStore(open())],
    }));

    databased('a tick, and what is enqueued for it, commit together', async ({ db }) => {
      const store = postgresScheduleStore(db);
      const tickAt = new Date('2026-01-01T00:00:05Z');
      const claim = { schedule: 'together', tickAt, advances: true };
      await store.register([{ name: 'together', pattern: 'a' }], new Date('2026-01-01T00:00:00Z'));
      const write = (name: string) => (within: unknown) =>
        sql`insert into svc_jobs.schedules (name, pattern, decided_until) values (${name}, 'x', now())`.execute(
          within as typeof db,
        );
      const failing = store.claimTick(claim, async (within) => {
        await write('of-a-rollback')(within);
        throw new Error('after the job');
      });
      await expect(failing).rejects.toThrow('after the job');
      expect(await store.read(['of-a-rollback'])).toEqual([]);
      expect(await store.claimTick(claim, write('of-a-commit'))).toBe(true);
      expect(await store.read(['of-a-commit'])).toHaveLength(1);
    });

    databased('a pause within a transaction that rolls back was none', async ({ db }) => {
      const store = postgresScheduleStore(db);
      const now = new Date('2026-01-01T00:00:00Z');
      await store.register([{ name: 'rolled-back', pattern: 'a' }], now);
      const failing = transact(db, async (trx) => {
        await store.pause('rolled-back', now, trx);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await store.read(['rolled-back'])).toMatchObject([{ pausedAt: null }]);
    });
  });
}
