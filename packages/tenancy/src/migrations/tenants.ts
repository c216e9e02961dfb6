import type { MigrationStep } from '@svc/db';

export const tenants: MigrationStep = {
  name: '0003_tenants',
  up: [
    `create table svc_tenancy.tenants (
      id uuid primary key,
      name text not null,
      version integer not null default 1,
      created_at timestamptz not null,
      updated_at timestamptz not null,
      suspended_at timestamptz,
      suspended_reason text,
      deletion_requested_at timestamptz,
      check ((suspended_at is null) = (suspended_reason is null))
    )`,
    `create table svc_tenancy.memberships (
      tenant_id uuid not null references svc_tenancy.tenants on delete cascade,
      user_id uuid not null,
      role text not null,
      created_at timestamptz not null,
      primary key (tenant_id, user_id)
    )`,
    `create index memberships_of_user on svc_tenancy.memberships (user_id, tenant_id)`,
    `create table svc_tenancy.invitations (
      id uuid primary key,
      tenant_id uuid not null references svc_tenancy.tenants on delete cascade,
      email text not null,
      email_normalized text not null,
      role text not null,
      token_hash bytea not null constraint invitations_token_hash_key unique,
      invited_by uuid not null,
      created_at timestamptz not null,
      expires_at timestamptz not null,
      accepted_at timestamptz,
      accepted_by uuid,
      revoked_at timestamptz
    )`,
    // One that is open per address: the newest.
    `create unique index invitations_open_key on svc_tenancy.invitations (tenant_id, email_normalized)
      where accepted_at is null and revoked_at is null`,
    `create index invitations_of_tenant on svc_tenancy.invitations (tenant_id, id desc)`,
    `create table svc_tenancy.selections (
      kind text not null check (kind in ('session', 'api_key')),
      id text not null,
      user_id uuid not null,
      tenant_id uuid not null references svc_tenancy.tenants on delete cascade,
      selected_at timestamptz not null,
      primary key (kind, id)
    )`,
    `create index selections_of_tenant on svc_tenancy.selections (tenant_id)`,
  ],
  down: [
    `drop table svc_tenancy.selections`,
    `drop table svc_tenancy.invitations`,
    `drop table svc_tenancy.memberships`,
    `drop table svc_tenancy.tenants`,
  ],
};
