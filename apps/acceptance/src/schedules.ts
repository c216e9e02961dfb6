import { type AnyTask, defineSchedule, type Schedule, schedulesFromSettings } from '@svc/jobs';
import type { AppSettings } from './settings.ts';

/** What comes again and again: that of the app, then that of its operators. @throws {InvalidSettings} */
export function createSchedules(
  { jobsScheduleJson }: Pick<AppSettings, 'jobsScheduleJson'>,
  tasks: readonly AnyTask[],
): Schedule[] {
  return [
    defineSchedule({ name: 'nightly-purge', task: 'maintenance.purge', cron: '15 3 * * *' }),
    ...schedulesFromSettings(jobsScheduleJson, tasks),
  ];
}
