import * as v from 'valibot';
import {
  createJobs,
  createScheduler,
  defineSchedule,
  defineTask,
  type JobStore,
  type ScheduleStore,
} from '../src/index.ts';
import { expectTypeOf, test } from 'vitest';

declare const jobStore: JobStore;
declare const store: ScheduleStore;
const report = defineTask({
  name: 'report.send',
  payload: v.object({ day: v.string() }),
  run: ({ day }) => day.length,
});
const sync = defineTask({ name: 'crm.sync', payload: v.object({}), run: () => {} });

test('the enqueue of jobs fits, and a payload is what the task takes', () => {
  const jobs = createJobs({ store: jobStore, tasks: [report, sync] });
  const schedules = [
    defineSchedule({ name: 'a', task: report, cron: '@daily', payload: { day: 'today' } }),
    defineSchedule({
      name: 'b',
      task: report,
      every: '1d',
      payload: (at) => ({ day: at.toISOString() }),
    }),
    defineSchedule({ name: 'c', task: 'crm.sync', every: '10s' }),
  ];
  const scheduler = createScheduler({ store, schedules, enqueue: jobs.enqueue });
  expectTypeOf(scheduler.runNow).parameter(0).toBeString();
  // @ts-expect-error -- the task takes a text
  defineSchedule({ name: 'a', task: report, cron: '@daily', payload: { day: 1 } });
  // @ts-expect-error -- one of both
  defineSchedule({ name: 'a', task: report, cron: '@daily', every: '1d', payload: { day: 'x' } });
  // @ts-expect-error -- an interval has no time zone
  defineSchedule({ name: 'a', task: sync, every: '1d', timeZone: 'Europe/Berlin' });
});
