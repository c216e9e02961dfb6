import type { Metrics } from '../metrics/registry.ts';
import { jobs } from './channels.ts';
import type { Listen } from './listen.ts';

/** From the milliseconds of a quick job to the hour of a slow one, in seconds. */
const attemptBuckets = [0.005, 0.025, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600];

/** `jobs_*` and `schedule_*`. */
export function recordJobs(metrics: Metrics, listen: Listen): void {
  const byTask = (name: string, help: string) => metrics.counter({ name, help, labels: ['task'] });
  const enqueued = byTask('jobs_enqueued_total', 'Jobs that were stored.');
  const retried = byTask('jobs_retried_total', 'Attempts that are followed by another.');
  const dead = byTask('jobs_dead_total', 'Jobs that were given up.');
  const cancelled = byTask('jobs_cancelled_total', 'Jobs that somebody cancelled.');
  const lost = byTask('jobs_lost_total', 'Leases that were over before their job had an outcome.');
  const returned = byTask('jobs_returned_total', 'Jobs that a worker handed back.');
  const wait = metrics.histogram({
    name: 'jobs_wait_seconds',
    help: 'From the enqueuing of a job to the beginning of an attempt.',
    labels: ['task'],
    buckets: attemptBuckets,
  });
  const took = metrics.histogram({
    name: 'jobs_attempt_duration_seconds',
    help: 'How long attempts took, by how they ended.',
    labels: ['task', 'outcome'],
    buckets: attemptBuckets,
  });
  const storeUp = metrics.gauge({
    name: 'jobs_store_up',
    help: '1 while the store answers the worker, 0 while it does not.',
    labels: ['queue'],
  });
  const ticks = metrics.counter({
    name: 'schedule_ticks_total',
    help: 'Ticks of schedules, by whether they could be enqueued.',
    labels: ['schedule', 'outcome'],
  });
  const late = metrics.histogram({
    name: 'schedule_lateness_seconds',
    help: 'How late ticks were enqueued.',
    labels: ['schedule'],
    buckets: attemptBuckets,
  });

  listen(jobs.enqueued, ({ task, ids }) => enqueued.with({ task }).add(ids.length));
  listen(jobs.started, ({ task, waitedMs }) => wait.with({ task }).observe(waitedMs / 1000));
  listen(jobs.completed, ({ task, ranMs }) =>
    took.with({ task, outcome: 'completed' }).observe(ranMs / 1000),
  );
  listen(jobs.failed, ({ task, ranMs }) =>
    took.with({ task, outcome: 'failed' }).observe(ranMs / 1000),
  );
  listen(jobs.retried, ({ task }) => retried.with({ task }).add());
  listen(jobs.dead, ({ task }) => dead.with({ task }).add());
  listen(jobs.cancelled, ({ task }) => cancelled.with({ task }).add());
  // Two notice each loss: who takes the job over is the one that counts.
  listen(jobs.lost, ({ task, by }) => {
    if (by === 'found') lost.with({ task }).add();
  });
  listen(jobs.returned, ({ task }) => returned.with({ task }).add());
  listen(jobs.storeDown, (_, queue) => storeUp.with({ queue }).set(0));
  listen(jobs.storeUp, (_, queue) => storeUp.with({ queue }).set(1));
  listen(jobs.ticked, ({ schedule, lateMs }) => {
    ticks.with({ schedule, outcome: 'enqueued' }).add();
    late.with({ schedule }).observe(lateMs / 1000);
  });
  listen(jobs.tickFailed, ({ schedule }) => ticks.with({ schedule, outcome: 'failed' }).add());
}
