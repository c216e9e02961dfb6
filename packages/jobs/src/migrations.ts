import type { Migrations } from '@svc/db';
import { schedulesStep } from './schedules/migrations.ts';
import {
  claimFunction,
  promoteFunction,
  takeBackFunction,
} from './stores/postgres-functions/claim.ts';
import {
  enqueueFunction,
  handBackFunction,
  makeReadyFunction,
  tailFunction,
} from './stores/postgres-functions/enqueue.ts';
import {
  cancelFunction,
  completeFunction,
  finishFunction,
  replayFunction,
  retryFunction,
} from './stores/postgres-functions/finish.ts';
import {
  endAwaitedFunction,
  endLeaseFunction,
  enqueueWaitingFunction,
  holdFunction,
  resolveFunction,
  waitAgainFunction,
} from './stores/postgres-functions/flows.ts';
import {
  countLimitedFunction,
  pickLimitedFunction,
  roomFunction,
} from './stores/postgres-functions/limits.ts';
import { createSequences, sequences } from './stores/postgres-functions/sequences.ts';

const jobColumns = `
  id uuid primary key,
  task text not null,
  payload text not null,
  priority smallint not null check (priority between 0 and 9),
  group_key text,
  cost integer not null default 1000,
  attempts smallint not null default 0,
  max_attempts smallint not null,
  enqueued_at timestamptz not null default clock_timestamp(),
  attributes json,
  errors jsonb`;

// Rows of these live for moments: vacuum comes by their number, not by the size of the table, and does not pause.
const hot = `autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0,
  autovacuum_vacuum_insert_threshold = -1, autovacuum_analyze_scale_factor = 0.2`;

const tables = [
  `create table svc_jobs.ready (${jobColumns}, turn bigint not null) with (${hot})`,
  `create index ready_in_turn on svc_jobs.ready (priority desc, turn, id)`,
  `create index ready_by_group on svc_jobs.ready (group_key, priority, turn) where group_key is not null`,
  `create table svc_jobs.scheduled (${jobColumns}, run_at timestamptz not null)`,
  `create index scheduled_by_hour on svc_jobs.scheduled (run_at)`,
  `create table svc_jobs.waiting (${jobColumns}, run_at timestamptz not null)`,
  // A row for each job that another waits for, or waited for; without a state it has not ended.
  `create table svc_jobs.dependencies (
    job_id uuid, awaited_id uuid, place integer not null,
    state text check (state in ('done', 'cancelled', 'dead', 'purged')), result text, primary key (awaited_id, job_id)
  )`,
  `create index dependencies_by_state on svc_jobs.dependencies (job_id, state)`,
  // No index on expires_at: then a heartbeat is written beside the old version, and leases are few.
  `create table svc_jobs.leases (
    id uuid primary key,
    worker text not null,
    expires_at timestamptz not null,
    jobs json not null,
    cancelled uuid[] not null default '{}'
  ) with (fillfactor = 50, ${hot})`,
  `create table svc_jobs.settled (lease_id uuid, job_id uuid, primary key (lease_id, job_id)) with (${hot})`,
  `create table svc_jobs.finished (
    ${jobColumns},
    state text not null check (state in ('done', 'cancelled')),
    result text,
    finished_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null
  )`,
  `create index finished_by_expiry on svc_jobs.finished (expires_at)`,
  `create table svc_jobs.dead (${jobColumns}, died_at timestamptz not null default clock_timestamp())`,
  `create index dead_by_task on svc_jobs.dead (task, died_at)`,
  `create table svc_jobs.unique_keys (key text collate "C" primary key, job_id uuid not null)`,
  // One row for each job that runs under a limit: what counts is what is there, so a crash leaves nothing to be mended.
  `create table svc_jobs.limited (
    lease_id uuid, job_id uuid, task text not null, group_key text, primary key (lease_id, job_id)
  ) with (${hot})`,
  `create table svc_jobs.rates (key text collate "C" primary key, tat timestamptz not null) with (fillfactor = 50, ${hot})`,
  `create table svc_jobs.paused (task text primary key)`,
  `create table svc_jobs.progress (job_id uuid primary key, value text not null) with (fillfactor = 50)`,
  ...createSequences,
  `do $$ begin
    if coalesce(current_setting('svc.app_role', true), '') <> '' then
      execute format('grant update on sequence ${sequences} to %I', current_setting('svc.app_role'));
    end if;
  end $$`,
];

export { outboxMigrations } from './stores/outbox-migrations.ts';

/** The tables and functions of `@svc/jobs/postgres`, in schema `svc_jobs`. */
export const jobsMigrations: Migrations = {
  schema: 'svc_jobs',
  steps: [
    {
      name: '0001_jobs',
      up: [
        ...tables,
        tailFunction,
        makeReadyFunction,
        handBackFunction,
        enqueueFunction,
        takeBackFunction,
        promoteFunction,
        roomFunction,
        pickLimitedFunction,
        countLimitedFunction,
        claimFunction,
        finishFunction,
        completeFunction,
        cancelFunction,
        replayFunction,
        retryFunction,
        holdFunction,
        resolveFunction,
        endAwaitedFunction,
        endLeaseFunction,
        enqueueWaitingFunction,
        waitAgainFunction,
      ],
      down: [
        ...'enqueue_waiting wait_again end_lease end_awaited resolve hold enqueue claim finish complete cancel retry replay count_limited pick_limited room promote take_back hand_back make_ready tail'
          .split(' ')
          .map((name) => `drop function svc_jobs.${name}`),
        `drop sequence ${sequences}`,
        `drop table svc_jobs.progress, svc_jobs.paused, svc_jobs.rates, svc_jobs.limited, svc_jobs.unique_keys,
          svc_jobs.dead, svc_jobs.finished, svc_jobs.settled, svc_jobs.leases, svc_jobs.dependencies, svc_jobs.waiting,
          svc_jobs.scheduled, svc_jobs.ready`,
      ],
    },
    schedulesStep,
  ],
};
