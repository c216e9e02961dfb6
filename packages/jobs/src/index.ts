export type { AttemptContext } from './attempt.ts';
export {
  cancelled,
  completed,
  dead,
  enqueued,
  failed,
  lost,
  refused,
  retried,
  returned,
  started,
  storeDown,
  storeUp,
  ticked,
  tickFailed,
} from './events.ts';
export {
  JobLost,
  JobNotFound,
  JobStateConflict,
  PayloadTooLarge,
  ScheduleNotFound,
} from './failures.ts';
export type {
  AwaitedCounts,
  AwaitedJob,
  Job,
  JobError,
  JobState,
  OnFailure,
  UniqueUntil,
} from './job.ts';
export {
  type BulkItem,
  createJobs,
  type EnqueueOptions,
  type Jobs,
  type JobsOptions,
  type LimitOption,
  type ListOptions,
  type Within,
} from './jobs.ts';
export { type Backoff, exponential, linear, NonRetryable, RetryAfter } from './retry.ts';
export {
  jobsFromSettings,
  jobsSettings,
  type JobsSettings,
  type StoreOpeners,
} from './settings.ts';
export type {
  Claim,
  ClaimRequest,
  DeadFilter,
  Enqueued,
  FlowStore,
  Heartbeat,
  JobAttributes,
  JobFilter,
  JobStats,
  JobStore,
  LeasedJob,
  Limit,
  Limits,
  NewJob,
  Outcome,
  Rate,
  TableFigures,
} from './store.ts';
export {
  type AnyTask,
  defineTask,
  type PayloadOf,
  type PayloadSchema,
  type RateOption,
  type Task,
  type TaskOptions,
} from './task.ts';
export type { EnqueueTick } from './schedules/passes.ts';
export {
  defineSchedule,
  type Misfire,
  type Schedule,
  type ScheduleOptions,
  type When,
} from './schedules/schedule.ts';
export {
  createScheduler,
  type Scheduler,
  type SchedulerOptions,
  type ScheduleStatus,
} from './schedules/scheduler.ts';
export {
  type ScheduleEntry,
  schedulesFromSettings,
  scheduleSettings,
} from './schedules/settings.ts';
export type { ScheduleStore, StoredSchedule, TickClaim } from './schedules/store.ts';
export { memoryScheduleStore } from './schedules/stores/memory.ts';
export type { Timetable } from './schedules/timetable.ts';
export { createWorker, type Worker, type WorkerOptions } from './worker.ts';
export { memoryStore, type MemoryStoreOptions } from './stores/memory.ts';
