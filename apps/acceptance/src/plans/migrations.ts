import type { MigrationStep } from '@svc/db';
import { isolateByTenant } from '@svc/tenancy';

export const tenantPlans: MigrationStep = {
  name: '003_tenant_plans',
  up: [
    `create table app.tenant_plans (
      tenant_id uuid primary key,
      plan text not null,
      changed_at timestamptz not null
    )`,
    ...isolateByTenant('app.tenant_plans').up,
  ],
  down: [`drop table app.tenant_plans`],
};
