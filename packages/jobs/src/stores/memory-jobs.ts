import type { Job, JobError, JobState } from '../job.ts';
import type { JobAttributes, LeasedJob } from '../store.ts';

/** A job as this process keeps it. */
export interface Kept {
  readonly id: string;
  readonly task: string;
  /** JSON: what is given out is a copy. */
  readonly payload: string;
  readonly priority: number;
  readonly group: string | null;
  readonly cost: number;
  readonly maxAttempts: number;
  readonly attributes: JobAttributes;
  readonly enqueuedAt: Date;
  /** Its place among those that came in the same turn. */
  readonly order: number;
  state: JobState;
  attempts: number;
  turn: number;
  runAtMs: number;
  errors: JobError[];
  finishedAt: Date | null;
  expiresAtMs: number;
  result: string | null;
  progress: string | undefined;
  lease: string | undefined;
  release: (() => void) | undefined;
}

const parse = (json: string): unknown => JSON.parse(json);

export const toLeased = (job: Kept): LeasedJob => ({
  id: job.id,
  task: job.task,
  payload: parse(job.payload),
  priority: job.priority,
  group: job.group,
  attempts: job.attempts,
  maxAttempts: job.maxAttempts,
  enqueuedAt: job.enqueuedAt,
  errors: [...job.errors],
  attributes: job.attributes,
});

export const toJob = (job: Kept): Job => ({
  id: job.id,
  task: job.task,
  state: job.state,
  payload: parse(job.payload),
  priority: job.priority,
  group: job.group,
  attempts: job.attempts,
  maxAttempts: job.maxAttempts,
  enqueuedAt: job.enqueuedAt,
  runAt: job.state === 'scheduled' ? new Date(job.runAtMs) : null,
  finishedAt: job.finishedAt,
  errors: [...job.errors],
  progress: job.progress === undefined ? undefined : parse(job.progress),
  result: job.result === null ? undefined : parse(job.result),
  tenantId: job.attributes.tenantId ?? null,
  traceparent: job.attributes.traceparent ?? null,
  uniqueKey: job.attributes.uniqueKey ?? null,
});
