import { auditMigrations } from '@svc/audit/migrations';
import { authMigrations } from '@svc/auth/migrations';
import type { Migrations } from '@svc/db';
import { idempotencyMigrations } from '@svc/idempotency/migrations';
import { jobsMigrations } from '@svc/jobs/migrations';
import { tenancyMigrations } from '@svc/tenancy/migrations';
import { webhooksMigrations } from '@svc/webhooks/migrations';
import { tenantPlans } from './plans/migrations.ts';
import { tenantSecurity } from './tenants/migrations.ts';
import { projectExports, projects, projectsOfTenants } from './projects/migrations.ts';

/** Every table of the app; its own last, as they may refer to those of packages. */
export const migrations: readonly Migrations[] = [
  auditMigrations,
  authMigrations,
  idempotencyMigrations,
  jobsMigrations,
  tenancyMigrations,
  webhooksMigrations,
  {
    schema: 'app',
    steps: [projects, projectsOfTenants, tenantPlans, projectExports, tenantSecurity],
  },
];
