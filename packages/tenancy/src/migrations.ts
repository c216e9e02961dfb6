import type { Migrations } from '@svc/db';
import { isolateByTenant } from './isolation/isolate-by-tenant.ts';
import { mailedTokens } from './migrations/mailed-tokens.ts';
import { deletions } from './migrations/deletions.ts';
import { tenants } from './migrations/tenants.ts';

const usage = isolateByTenant('svc_tenancy.usage');

/** The tables of `@svc/tenancy`, in schema `svc_tenancy`. */
export const tenancyMigrations: Migrations = {
  schema: 'svc_tenancy',
  steps: [
    {
      name: '0001_usage',
      up: [
        `create table svc_tenancy.usage (
          tenant_id uuid not null,
          quota text not null,
          used bigint not null check (used >= 0),
          primary key (tenant_id, quota)
        )`,
        ...usage.up,
      ],
      down: [`drop table svc_tenancy.usage`],
    },
    {
      name: '0002_schema_steps',
      up: [
        `create table svc_tenancy.schema_steps (
          schema text not null,
          step text not null,
          checksum text not null,
          applied_at timestamptz not null default now(),
          primary key (schema, step)
        )`,
        // Written by migrations alone, which run as the owner.
        `do $$
        declare app text := current_setting('svc.app_role', true);
        begin
          if app is null or app = '' then return; end if;
          execute format('revoke insert, update, delete on svc_tenancy.schema_steps from %I', app);
        end $$`,
      ],
      down: [`drop table svc_tenancy.schema_steps`],
    },
    tenants,
    mailedTokens,
    deletions,
  ],
};
