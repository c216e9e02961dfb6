import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

/** A schedule as all processes know it. */
export interface ScheduleRow {
  name: string;
  pattern: string;
  decided_until: Date;
  last_tick_at: Date | null;
  paused_at: Date | null;
}

/** A tick that was enqueued. */
export interface ScheduleTickRow {
  schedule: string;
  tick_at: Date;
}

export interface ScheduleTables {
  'svc_jobs.schedules': ScheduleRow;
  'svc_jobs.schedule_ticks': ScheduleTickRow;
}

/** The boundary's untyped database with the tables of schedules. */
export function scheduleTablesOf(db: Db): Kysely<ScheduleTables> {
  return db;
}
