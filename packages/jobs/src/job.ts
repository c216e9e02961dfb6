/** Where a job may be. `waiting` waits for other jobs, `scheduled` for its hour, `ready` for a worker. */
export const jobStates = [
  'waiting',
  'scheduled',
  'ready',
  'running',
  'done',
  'cancelled',
  'dead',
] as const;
export type JobState = (typeof jobStates)[number];

/** Why an attempt did not succeed: the message only, cut to 500 characters. */
export interface JobError {
  readonly attempt: number;
  readonly at: Date;
  readonly message: string;
}

/** A job as it is now. */
export interface Job {
  readonly id: string;
  readonly task: string;
  readonly state: JobState;
  readonly payload: unknown;
  readonly priority: number;
  readonly group: string | null;
  /** Attempts begun. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly enqueuedAt: Date;
  /** When it may start, of a job that is `scheduled`. */
  readonly runAt: Date | null;
  /** When it was done, cancelled or given up. */
  readonly finishedAt: Date | null;
  /** Of every attempt that failed, the oldest first, at most 25: beyond that, the first and the latest. */
  readonly errors: readonly JobError[];
  /** What its handler last reported. */
  readonly progress: unknown;
  /** What its handler gave back, as long as the task keeps it. */
  readonly result: unknown;
  readonly tenantId: string | null;
  readonly traceparent: string | null;
  /** The key that it alone had. */
  readonly uniqueKey: string | null;
}

/** What a job does when one that it waits for is a dead letter or was cancelled. */
export type OnFailure = 'wait' | 'fail' | 'run';

/** A job that another one waits for, or waited for. */
export interface AwaitedJob {
  readonly id: string;
  /** `open` has not ended yet. */
  readonly state: 'open' | 'done' | 'dead' | 'cancelled';
  /** What its handler gave back, where its task keeps results. */
  readonly result: unknown;
}

/** How far the jobs are that one waits for. */
export type AwaitedCounts = Readonly<Record<AwaitedJob['state'], number>>;

/** Until when nobody else can enqueue a job with the same unique key. `removed` is when its record is gone, too. */
export type UniqueUntil = 'started' | 'finished' | 'removed';
