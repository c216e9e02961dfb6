import type { MigrationStep } from '@svc/db';

/** The tables of schedules. */
export const schedulesStep: MigrationStep = {
  name: '0002_schedules',
  up: [
    `create table svc_jobs.schedules (
      name text collate "C" primary key,
      pattern text not null,
      decided_until timestamptz not null,
      last_tick_at timestamptz,
      paused_at timestamptz
    ) with (fillfactor = 50)`,
    `create table svc_jobs.schedule_ticks (
      schedule text collate "C" not null references svc_jobs.schedules on delete cascade,
      tick_at timestamptz not null,
      primary key (schedule, tick_at)
    )`,
    `create index schedule_ticks_by_age on svc_jobs.schedule_ticks (tick_at)`,
  ],
  down: [`drop table svc_jobs.schedule_ticks`, `drop table svc_jobs.schedules`],
};
