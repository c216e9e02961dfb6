import { type Settings, setting } from '@svc/core';
import * as v from 'valibot';
import { createJobs, type Jobs, type JobsOptions } from './jobs.ts';
import type { JobStore } from './store.ts';
import { memoryStore } from './stores/memory.ts';
import type { AnyTask } from './task.ts';

/** The variables of a queue and its workers, to be spread into an app's settings schema. */
export const jobsSettings = {
  JOBS_DRIVER: v.optional(
    setting.oneOf('where jobs are kept', ['memory', 'postgres', 'redis']),
    'postgres',
  ),
  JOBS_CONCURRENCY: v.optional(
    setting.integer('jobs that run at once in one worker', 1, 10_000),
    '10',
  ),
  JOBS_LEASE: v.optional(
    setting.duration('a worker that is silent for so long has lost its jobs'),
    '15s',
  ),
};

const jobsSettingsSchema = v.object(jobsSettings);
export type JobsSettings = Settings<typeof jobsSettingsSchema>;

/** How each driver is opened; `memory` needs nothing. */
export type StoreOpeners = Partial<Record<'postgres' | 'redis', () => JobStore>>;

/** `createJobs` with the store that `JOBS_DRIVER` names. @throws {TypeError} when that store has no opener */
export function jobsFromSettings<const Tasks extends readonly AnyTask[]>(
  { jobsDriver }: Pick<JobsSettings, 'jobsDriver'>,
  { stores, ...options }: Omit<JobsOptions<Tasks>, 'store'> & { stores: StoreOpeners },
): Jobs<Tasks> {
  const open =
    jobsDriver === 'memory'
      ? () => memoryStore(options.clock === undefined ? {} : { clock: options.clock })
      : stores[jobsDriver];
  if (open === undefined) throw new TypeError(`JOBS_DRIVER is ${jobsDriver}, which has no store`);
  return createJobs({ ...options, store: open() } as JobsOptions<Tasks>);
}
