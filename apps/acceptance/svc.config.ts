import { createAudit } from '@svc/audit';
import { defineConfig } from '@svc/cli';
import { appRole } from './src/app-role.ts';
import { migrations } from './src/migrations.ts';
import { seeds } from './src/seeds.ts';
import { type AppSettings, readSettings } from './src/settings.ts';
import { lintTenants } from './src/tenants/lint.ts';
import { tablesOfTenants } from './src/tenants/tables.ts';

export default defineConfig({
  settings: readSettings,
  database: ({ databaseUrl, databaseOwnerUrl }: AppSettings) => ({
    url: databaseUrl,
    ownerUrl: databaseOwnerUrl,
    appRole,
  }),
  migrations,
  seeds,
  // Loaded when it is wanted: no other command needs the app.
  jobs: async (settings: AppSettings) => {
    const { createLogger } = await import('./src/logger.ts');
    const { createServices } = await import('./src/services.ts');
    const { jobs, worker, opened } = await createServices(
      settings,
      createLogger(settings, { dest: 2 }),
    );
    const close = async () => {
      for (const each of opened.toReversed()) await each.stop({ graceMs: 5000 });
    };
    return { jobs, worker, close };
  },
  tenants: {
    lint: lintTenants,
    tables: tablesOfTenants,
    audit: (db) => createAudit({ db }).append,
  },
});
