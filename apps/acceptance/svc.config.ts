import { auditMigrations } from '@svc/audit/migrations';
import { authMigrations } from '@svc/auth/migrations';
import { defineConfig } from '@svc/cli';
import { idempotencyMigrations } from '@svc/idempotency/migrations';
import { appRole } from './src/app-role.ts';
import { projectMigrations } from './src/projects/migrations.ts';
import { seeds } from './src/seeds.ts';
import { readSettings } from './src/settings.ts';

export default defineConfig({
  settings: readSettings,
  database: ({ databaseUrl, databaseOwnerUrl }: ReturnType<typeof readSettings>) => ({
    url: databaseUrl,
    ownerUrl: databaseOwnerUrl,
    appRole,
  }),
  migrations: [auditMigrations, authMigrations, idempotencyMigrations, projectMigrations],
  seeds,
});
