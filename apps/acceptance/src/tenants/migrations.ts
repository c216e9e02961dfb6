import type { MigrationStep } from '@svc/db';
import { isolateByTenant } from '@svc/tenancy';

export const tenantSecurity: MigrationStep = {
  name: '005_tenant_security',
  up: [
    `create table app.tenant_security (
      tenant_id uuid primary key,
      requires_mfa boolean not null,
      changed_at timestamptz not null
    )`,
    ...isolateByTenant('app.tenant_security').up,
  ],
  down: [`drop table app.tenant_security`],
};
