import type { Migrations } from '@svc/db';
import { consumeFunction } from './stores/postgres-function.ts';

/** The tables and the function of `@svc/ratelimit/postgres`, in schema `svc_ratelimit`. */
export const ratelimitMigrations: Migrations = {
  schema: 'svc_ratelimit',
  steps: [
    {
      name: '0001_buckets',
      up: [
        // Unlogged: a count that a crash forgets is worth less than a write to the log at every request. Pages keep
        // room, so that a new version of a row lands beside the old one and no index is touched.
        `create unlogged table svc_ratelimit.buckets (
          key text primary key,
          level bigint not null default 0,
          at_ms bigint not null default 0,
          moments bigint[] not null default '{}',
          counts bigint[] not null default '{}',
          expires_ms bigint not null default 0
        ) with (fillfactor = 60, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`,
        consumeFunction,
      ],
      down: [`drop function svc_ratelimit.consume(json)`, `drop table svc_ratelimit.buckets`],
    },
    {
      name: '0002_callers',
      up: [
        `create table svc_ratelimit.callers (
          caller text primary key,
          score double precision not null default 0,
          scored_at timestamptz not null default clock_timestamp(),
          expires_at timestamptz not null default clock_timestamp(),
          blocked_until timestamptz
        ) with (fillfactor = 80)`,
        `create index callers_blocked on svc_ratelimit.callers (blocked_until) where blocked_until is not null`,
      ],
      down: [`drop table svc_ratelimit.callers`],
    },
  ],
};
