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
  ],
};
