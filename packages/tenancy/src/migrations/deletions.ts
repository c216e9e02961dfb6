import type { MigrationStep } from '@svc/db';

/** The SQLSTATE by which a transaction of a tenant that is being deleted is refused. */
export const closedTenant = 'SVT01';

export const deletions: MigrationStep = {
  name: '0005_deletions',
  up: [
    // No reference to the tenant: it outlives it.
    `create table svc_tenancy.deletions (
      id uuid primary key,
      tenant_id uuid not null,
      requested_at timestamptz not null,
      due_at timestamptz not null,
      started_at timestamptz,
      revoked_at timestamptz,
      deleted jsonb not null default '{}',
      completed_at timestamptz,
      receipt jsonb,
      reopened_at timestamptz
    )`,
    // Asked where each transaction of a tenant begins.
    `create unique index deletions_of_tenant on svc_tenancy.deletions (tenant_id) where reopened_at is null`,
    `create index deletions_by_tenant on svc_tenancy.deletions (tenant_id)`,
    `create index deletions_due on svc_tenancy.deletions (due_at) where completed_at is null and reopened_at is null`,
    // One statement, so that it can travel with the BEGIN of a tenant's transaction.
    `create function svc_tenancy.assert_open(tenant uuid) returns void language plpgsql stable set search_path = '' as $$
      begin
        if exists (select from svc_tenancy.deletions d where d.tenant_id = tenant and d.reopened_at is null) then
          raise exception 'the tenant is being deleted' using errcode = '${closedTenant}';
        end if;
      end $$`,
    `insert into svc_tenancy.deletions (id, tenant_id, requested_at, due_at)
      select gen_random_uuid(), id, deletion_requested_at, deletion_requested_at from svc_tenancy.tenants
      where deletion_requested_at is not null`,
  ],
  down: [`drop function svc_tenancy.assert_open`, `drop table svc_tenancy.deletions`],
};
