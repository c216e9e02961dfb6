import type { Db } from '@svc/db';
import type { Generated, Kysely } from 'kysely';
import type { JobAttributes } from './store.ts';

interface JobColumns {
  id: string;
  task: string;
  /** JSON. */
  payload: string;
  priority: number;
  group_key: string | null;
  /** What it costs its group of the virtual time. */
  cost: number;
  attempts: Generated<number>;
  max_attempts: number;
  enqueued_at: Generated<Date>;
  attributes: JobAttributes | null;
  errors: { attempt: number; at: string; message: string }[] | null;
}

/** A job that may start. */
export interface ReadyRow extends JobColumns {
  /** The virtual time of its turn. */
  turn: bigint;
}

/** A job that waits for its hour. */
export interface ScheduledRow extends JobColumns {
  run_at: Date;
}

/** A job that waits for others; then it waits for its hour. */
export interface WaitingRow extends JobColumns {
  run_at: Date;
}

/** A job that another waits for, or waited for. */
export interface DependencyRow {
  job_id: string;
  awaited_id: string;
  /** Among those that the same job waits for, from 1 on. */
  place: number;
  /** `null` before it has ended. A dead letter that was purged never comes back. */
  state: 'done' | 'cancelled' | 'dead' | 'purged' | null;
  /** JSON. */
  result: string | null;
}

/** Jobs that one claim took, until each has its outcome. */
export interface LeaseRow {
  id: string;
  worker: string;
  expires_at: Date;
  jobs: JobColumns[];
  /** Jobs that somebody wants to end. */
  cancelled: Generated<string[]>;
}

/** An outcome within a lease that has others without one. */
export interface SettledRow {
  lease_id: string;
  job_id: string;
}

/** A job that was done or cancelled. */
export interface FinishedRow extends JobColumns {
  state: 'done' | 'cancelled';
  /** JSON. */
  result: string | null;
  finished_at: Generated<Date>;
  expires_at: Date;
}

/** A job that was given up. */
export interface DeadRow extends JobColumns {
  died_at: Generated<Date>;
}

export interface JobsTables {
  'svc_jobs.ready': ReadyRow;
  'svc_jobs.scheduled': ScheduledRow;
  'svc_jobs.waiting': WaitingRow;
  'svc_jobs.dependencies': DependencyRow;
  'svc_jobs.leases': LeaseRow;
  'svc_jobs.settled': SettledRow;
  'svc_jobs.finished': FinishedRow;
  'svc_jobs.dead': DeadRow;
  'svc_jobs.unique_keys': { key: string; job_id: string };
  'svc_jobs.limited': { lease_id: string; job_id: string; task: string; group_key: string | null };
  'svc_jobs.rates': { key: string; tat: Date };
  'svc_jobs.paused': { task: string };
  'svc_jobs.progress': { job_id: string; value: string };
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<JobsTables> {
  return db;
}
