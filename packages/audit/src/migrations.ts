import type { Migrations } from '@svc/db';

/** The tables of `@svc/audit`, in schema `svc_audit`. */
export const auditMigrations: Migrations = {
  schema: 'svc_audit',
  steps: [
    {
      name: '0001_log',
      up: [
        // Rows come and go every second, so it is swept by their number, not by a share of the table.
        `create table svc_audit.pending (
          tenant_id uuid not null,
          id uuid not null,
          at_ms bigint not null,
          event text not null,
          personal text,
          primary key (tenant_id, id)
        ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)`,
        // The body is what is hashed; the other columns repeat parts of it to be searched, and verifying compares them.
        // (Generated columns would parse the body once for each: three times the cost of sealing.)
        `create table svc_audit.entries (
          body text not null,
          hash text not null,
          tenant_id uuid not null,
          seq bigint not null,
          id uuid not null,
          at timestamptz not null,
          type text not null,
          outcome text not null,
          actor_type text not null,
          actor_id text,
          target_type text,
          target_id text,
          constraint entries_pkey primary key (tenant_id, seq)
        )`,
        `create unique index entries_id_key on svc_audit.entries (id)`,
        `create index entries_by_time on svc_audit.entries (at, id)`,
        `create index entries_by_tenant on svc_audit.entries (tenant_id, at, id)`,
        `create index entries_by_actor on svc_audit.entries (actor_id, at, id) where actor_id is not null`,
        `create index entries_by_target on svc_audit.entries (target_id, at, id) where target_id is not null`,
        `create index entries_by_type on svc_audit.entries (type, at, id)`,
        `create table svc_audit.personal (
          entry_id uuid primary key,
          tenant_id uuid not null,
          fields jsonb not null
        )`,
        `create table svc_audit.chains (
          tenant_id uuid primary key,
          size bigint not null,
          head text not null,
          frontier text not null,
          sealed_at timestamptz,
          note text,
          checkpoint_at timestamptz,
          purged_size bigint not null default 0,
          purged_frontier text,
          purged_note text
        )`,
        `create table svc_audit.checkpoints (
          tenant_id uuid not null,
          size bigint not null,
          note text not null,
          created_at timestamptz not null,
          anchor_tried_at timestamptz,
          anchored_at timestamptz,
          primary key (tenant_id, size)
        )`,
        `create index checkpoints_to_anchor on svc_audit.checkpoints (created_at) where anchored_at is null`,
      ],
      down: [
        `drop table svc_audit.checkpoints`,
        `drop table svc_audit.chains`,
        `drop table svc_audit.personal`,
        `drop table svc_audit.entries`,
        `drop table svc_audit.pending`,
      ],
    },
    {
      name: '0002_append_only',
      up: [
        // For the app's role the rights are gone; for the owner it is a guard against a slip, since owners may lift it.
        `create function svc_audit.refuse_change() returns trigger language plpgsql as $$
        begin
          if tg_op = 'DELETE' and current_setting('svc_audit.purging', true) = 'on' then
            return old;
          end if;
          raise exception 'the audit log is append-only' using errcode = 'insufficient_privilege';
        end $$`,
        `create trigger entries_append_only before update or delete on svc_audit.entries
          for each row execute function svc_audit.refuse_change()`,
        `create trigger entries_no_truncate before truncate on svc_audit.entries
          for each statement execute function svc_audit.refuse_change()`,
        `do $$
        declare app text := current_setting('svc.app_role', true);
        begin
          if app is null or app = '' then return; end if;
          execute format('revoke update, delete on svc_audit.entries from %I', app);
          execute format('revoke update on svc_audit.personal from %I', app);
          execute format('revoke delete on svc_audit.chains from %I', app);
          execute format('revoke update, delete on svc_audit.checkpoints from %I', app);
          execute format('grant update (anchor_tried_at, anchored_at) on svc_audit.checkpoints to %I', app);
          execute format('revoke update on svc_audit.pending from %I', app);
          execute format('grant update (personal) on svc_audit.pending to %I', app);
        end $$`,
      ],
      down: [
        `drop trigger entries_no_truncate on svc_audit.entries`,
        `drop trigger entries_append_only on svc_audit.entries`,
        `drop function svc_audit.refuse_change()`,
      ],
    },
    {
      name: '0003_waiting_and_erasing',
      up: [
        // The database's clock: that of whoever appends is theirs to set.
        `alter table svc_audit.pending add column appended_at timestamptz not null default clock_timestamp()`,
        `alter table svc_audit.entries add constraint entries_target check ((target_type is null) = (target_id is null))`,
        // For the app's role, too, which may delete here: whoever seals must be able to. An entry that somebody made up
        // to get past it stays in the log, where verifying finds it. (A plan from when the
        // table was small would read all of it.)
        `create function svc_audit.refuse_unsealed() returns trigger language plpgsql
          set search_path = pg_catalog set enable_seqscan = off set enable_hashjoin = off set enable_mergejoin = off as $$
        begin
          if exists (select from gone g where not exists (
            select from svc_audit.entries e
            where e.id = g.id and e.tenant_id = g.tenant_id and right(e.body, length(g.event) + 1) = g.event || '}'
          )) then
            raise exception 'an event that is not sealed cannot be removed' using errcode = 'insufficient_privilege';
          end if;
          return null;
        end $$`,
        `create trigger pending_until_sealed after delete on svc_audit.pending
          referencing old table as gone for each statement execute function svc_audit.refuse_unsealed()`,
        `create trigger pending_no_truncate before truncate on svc_audit.pending
          for each statement execute function svc_audit.refuse_change()`,
        // Against slips: who goes around it is found by verifying, since no entry tells of the erasure.
        `create function svc_audit.refuse_erasure() returns trigger language plpgsql as $$
        begin
          if 'on' in (current_setting('svc_audit.erasing', true), current_setting('svc_audit.purging', true)) then
            return null;
          end if;
          raise exception 'personal values are erased by erase, which tells of it' using errcode = 'insufficient_privilege';
        end $$`,
        `create trigger personal_erased before delete on svc_audit.personal
          for each statement execute function svc_audit.refuse_erasure()`,
        `create trigger personal_no_truncate before truncate on svc_audit.personal
          for each statement execute function svc_audit.refuse_change()`,
        `create trigger pending_erased before update of personal on svc_audit.pending
          for each statement execute function svc_audit.refuse_erasure()`,
      ],
      down: [
        `drop trigger pending_erased on svc_audit.pending`,
        `drop trigger personal_no_truncate on svc_audit.personal`,
        `drop trigger personal_erased on svc_audit.personal`,
        `drop function svc_audit.refuse_erasure()`,
        `drop trigger pending_no_truncate on svc_audit.pending`,
        `drop trigger pending_until_sealed on svc_audit.pending`,
        `drop function svc_audit.refuse_unsealed()`,
        `alter table svc_audit.entries drop constraint entries_target`,
        `alter table svc_audit.pending drop column appended_at`,
      ],
    },
  ],
};
