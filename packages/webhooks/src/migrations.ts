import type { Migrations } from '@svc/db';

/** The tables of this package, in schema `svc_webhooks`. A tenant's id is a text. Each statement names the tenant; row-level security does not stand behind it, since workers deliver for all. */
export const webhooksMigrations: Migrations = {
  schema: 'svc_webhooks',
  steps: [
    {
      name: '0001_endpoints',
      up: [
        `create table svc_webhooks.endpoints (
          tenant_id text not null,
          id uuid not null,
          url text not null,
          description text not null,
          event_types text[] not null,
          header_names text[] not null,
          sealed_headers text,
          rate_per_minute integer,
          is_ordered boolean not null,
          status text not null check (status in ('enabled', 'disabled', 'gone', 'failing')),
          created_at timestamptz not null,
          updated_at timestamptz not null,
          failing_since timestamptz,
          last_failure_at timestamptz,
          failure_hours integer not null default 0,
          warned_at timestamptz,
          slow_until timestamptz,
          slow_count integer not null default 0,
          next_slot_at timestamptz,
          probe_delivery_id uuid,
          probes integer not null default 0,
          primary key (tenant_id, id)
        ) with (fillfactor = 80)`,
        `create table svc_webhooks.secrets (
          tenant_id text not null,
          id uuid not null,
          endpoint_id uuid not null,
          scheme text not null check (scheme in ('v1', 'v1a')),
          sealed text not null,
          public_key text,
          created_at timestamptz not null,
          expires_at timestamptz,
          primary key (tenant_id, id),
          foreign key (tenant_id, endpoint_id) references svc_webhooks.endpoints on delete cascade
        )`,
        // One that is the newest.
        `create unique index secrets_newest on svc_webhooks.secrets (tenant_id, endpoint_id) where expires_at is null`,
        `create index secrets_of_endpoint on svc_webhooks.secrets (tenant_id, endpoint_id)`,
      ],
      down: [`drop table svc_webhooks.secrets`, `drop table svc_webhooks.endpoints`],
    },
    {
      name: '0002_deliveries',
      up: [
        `create table svc_webhooks.events (
          tenant_id text not null,
          id uuid not null,
          type text not null,
          version integer not null,
          body text not null,
          created_at timestamptz not null,
          primary key (tenant_id, id)
        )`,
        `create index events_by_age on svc_webhooks.events (created_at)`,
        // No foreign keys to events and endpoints: the check of a thousand rows would take as long as writing them, and
        // a publisher must neither wait for a deletion nor fail because of it. A delivery without its endpoint is cancelled.
        `create table svc_webhooks.deliveries (
          tenant_id text not null,
          id uuid not null,
          event_id uuid not null,
          event_type text not null,
          endpoint_id uuid not null,
          position bigint generated always as identity,
          order_key text,
          status text not null check (status in ('pending', 'delivered', 'failed', 'held', 'cancelled')),
          is_test boolean not null default false,
          turn integer not null default 1,
          attempts integer not null default 0,
          step integer not null default 0,
          has_slot boolean not null default false,
          next_attempt_at timestamptz,
          lease_until timestamptz,
          lease_token uuid,
          created_at timestamptz not null,
          finished_at timestamptz,
          primary key (tenant_id, id)
        ) with (fillfactor = 80)`,
        `create index deliveries_of_endpoint on svc_webhooks.deliveries (tenant_id, endpoint_id, id)`,
        `create index deliveries_of_event on svc_webhooks.deliveries (tenant_id, event_id)`,
        `create index deliveries_open on svc_webhooks.deliveries (tenant_id, endpoint_id, position) where status in ('pending', 'held')`,
        `create index deliveries_in_order on svc_webhooks.deliveries (tenant_id, endpoint_id, order_key, position)
          where status = 'pending' and order_key is not null`,
        `create index deliveries_by_age on svc_webhooks.deliveries (created_at)`,
        `create table svc_webhooks.attempts (
          tenant_id text not null,
          delivery_id uuid not null,
          number integer not null,
          endpoint_id uuid not null,
          outcome text not null check (outcome in ('sending', 'succeeded', 'failed', 'lost')),
          started_at timestamptz not null,
          duration_ms integer,
          status integer,
          error text,
          response text,
          primary key (tenant_id, delivery_id, number),
          foreign key (tenant_id, delivery_id) references svc_webhooks.deliveries on delete cascade
        ) with (fillfactor = 80)`,
        `create index attempts_of_endpoint on svc_webhooks.attempts (tenant_id, endpoint_id, started_at)`,
      ],
      down: [
        `drop table svc_webhooks.attempts`,
        `drop table svc_webhooks.deliveries`,
        `drop table svc_webhooks.events`,
      ],
    },
    {
      name: '0003_inbox',
      up: [
        `create table svc_webhooks.inbox (
          source text not null,
          id text not null,
          token uuid not null,
          is_done boolean not null,
          until timestamptz not null,
          primary key (source, id)
        )`,
        `create index inbox_by_age on svc_webhooks.inbox (until)`,
      ],
      down: [`drop table svc_webhooks.inbox`],
    },
  ],
};
