import { toMs } from '@svc/core';
import type { JobsOptions, LimitOption } from './jobs.ts';
import type { Limit, Limits } from './store.ts';
import { type AnyTask, requireWhole } from './task.ts';

/** The limits of the options in the form that stores work with; `undefined` where there are none. @throws {TypeError} */
export function toLimits({
  tasks,
  limits = {},
}: Pick<JobsOptions<readonly AnyTask[]>, 'tasks' | 'limits'>): Limits | undefined {
  const ofTasks = tasks.flatMap(({ name, concurrency, rate }) => {
    if (concurrency === undefined && rate === undefined) return [];
    const option = { ...(concurrency === undefined ? {} : { concurrency }), ...(rate && { rate }) };
    return [[name, toLimit(option)] as const];
  });
  const ofGroups = Object.entries(limits.groups ?? {}).map(
    ([group, option]) => [group, toLimit(option)] as const,
  );
  const { global: all, eachGroup } = limits;
  if (ofTasks.length + ofGroups.length === 0 && all === undefined && eachGroup === undefined)
    return undefined;
  return {
    ...(all === undefined ? {} : { global: toLimit(all) }),
    ...(eachGroup === undefined ? {} : { eachGroup: toLimit(eachGroup) }),
    tasks: Object.fromEntries(ofTasks),
    groups: Object.fromEntries(ofGroups),
  };
}

function toLimit({ concurrency, rate }: LimitOption): Limit {
  if (concurrency !== undefined) requireWhole(concurrency, 1, 1_000_000, 'concurrency');
  if (rate === undefined) return concurrency === undefined ? {} : { concurrency };
  requireWhole(rate.quota, 1, 1_000_000_000, 'the quota of a rate');
  const perMs = toMs(rate.per);
  if (!(perMs > 0)) throw new TypeError('the time of a rate is more than 0');
  return {
    ...(concurrency === undefined ? {} : { concurrency }),
    rate: { quota: rate.quota, perMs },
  };
}
