import type { Migrations } from '@svc/db';

/** The table of `withOutbox`, in schema `svc_jobs_outbox`: the only one that jobs in Redis need. */
export const outboxMigrations: Migrations = {
  schema: 'svc_jobs_outbox',
  steps: [
    {
      name: '0001_outbox',
      up: [
        // Rows live for moments, as those of the queue in PostgreSQL.
        `create table svc_jobs_outbox.jobs (
          place bigint generated always as identity primary key,
          id uuid not null,
          job text not null,
          run_at timestamptz
        ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0)`,
        `create sequence svc_jobs_outbox.terms`,
      ],
      down: [`drop sequence svc_jobs_outbox.terms`, `drop table svc_jobs_outbox.jobs`],
    },
  ],
};
