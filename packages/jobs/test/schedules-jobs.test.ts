import { testClock } from '@svc/core/testing';
import { describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import * as v from 'valibot';
import { expect } from 'vitest';
import { createJobs, createScheduler, defineSchedule, defineTask } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresScheduleStore, postgresStore } from '../src/stores/postgres.ts';

describeDatabases('a schedule of real jobs', [jobsMigrations], (test) => {
  test('enqueues each tick in its transaction, and one whose payload is refused leaves no tick', async ({
    db,
  }) => {
    const report = defineTask({
      name: 'report.send',
      payload: v.object({ day: v.pipe(v.string(), v.isoDate()) }),
      run: () => {},
    });
    const jobs = createJobs({ store: postgresStore(db), tasks: [report] });
    const clock = testClock('2026-01-01T00:00:00Z');
    const days = (tickAt: Date) => ({ day: tickAt.toISOString().slice(0, 10) });
    const scheduler = createScheduler({
      store: postgresScheduleStore(db),
      schedules: [
        defineSchedule({ name: 'daily', task: report, cron: '0 3 * * *', payload: days }),
        defineSchedule({
          name: 'refused',
          task: report,
          cron: '0 3 * * *',
          payload: () => ({ day: 'no day' }),
        }),
      ],
      enqueue: jobs.enqueue,
      clock,
    });
    await scheduler.start();
    await clock.advance('1s');
    while (clock.sleeping === 0) await new Promise(setImmediate);
    await clock.advance('3h');
    while (clock.sleeping === 0) await new Promise(setImmediate);
    await scheduler.stop();
    const { items } = await jobs.list({ state: 'ready' });
    expect(items).toMatchObject([{ task: 'report.send', payload: { day: '2026-01-01' } }]);
    const { rows } = await sql`select schedule, tick_at from svc_jobs.schedule_ticks`.execute(db);
    expect(rows).toEqual([{ schedule: 'daily', tick_at: new Date('2026-01-01T03:00:00Z') }]);

    expect(await scheduler.runNow('daily')).toMatchObject({ isDuplicate: false });
    expect((await jobs.list({ state: 'ready' })).items).toHaveLength(2);
  });
});
