import type { MigrationStep } from '@svc/db';

export const tenants: MigrationStep = {
  name: '0013_tenants',
  up: [
    // The code before names the constraint users_email_key in its statements, so it stays as it is: where identities belong
    // to tenants, the tenant stands before the address in what it holds. This check keeps the two together.
    `alter table svc_auth.users
      add column tenant_id uuid,
      add constraint users_tenant_check check (
        case when tenant_id is null then position(' ' in email_normalized) = 0
        else starts_with(email_normalized, tenant_id::text || ' ') end
      )`,
    // Those of one tenant, newest first.
    `create index users_tenant_idx on svc_auth.users (tenant_id, id desc) where tenant_id is not null`,
    `alter table svc_auth.challenges add column tenant_id uuid`,
    `alter table svc_auth.api_keys add column tenant_id uuid`,
    `create index api_keys_tenant_idx on svc_auth.api_keys (tenant_id, id desc) where tenant_id is not null`,
  ],
  down: [
    // Without their tenants they would be anybody's.
    `delete from svc_auth.users where tenant_id is not null`,
    `delete from svc_auth.api_keys where tenant_id is not null`,
    `alter table svc_auth.api_keys drop column tenant_id`,
    `delete from svc_auth.challenges where tenant_id is not null`,
    `alter table svc_auth.challenges drop column tenant_id`,
    `alter table svc_auth.users drop constraint users_tenant_check, drop column tenant_id`,
  ],
};
