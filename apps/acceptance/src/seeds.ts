import type { Db, Seed } from '@svc/db';
import { createTenantLimits, tenantScoped, withTenant } from '@svc/tenancy';
import { type Kysely, sql } from 'kysely';
import type { ProjectTables } from './projects/tables.ts';
import { tablesOfTenants } from './tenants/tables.ts';

/** Nobody who can sign in, and their tenant: with a project that shows that seeding worked. */
const demoOwnerId = '01900000-0000-7000-8000-000000000001';
const demoTenantId = '01900000-0000-7000-8000-000000000004';

/** The first administrator: has no password until they ask for a mail to choose one. */
export const adminEmail = 'admin@projects.test';

export const seeds: readonly Seed[] = [
  {
    name: 'admin',
    run: async (trx) => {
      await sql`
        insert into svc_auth.users (id, email, email_normalized, roles, verified_at, created_at)
        values ('01900000-0000-7000-8000-000000000003', ${adminEmail}, ${adminEmail}, '{admin}', now(), now())
        on conflict (email_normalized) do nothing
      `.execute(trx);
    },
  },
  {
    name: 'demo_project',
    run: async (trx) => {
      await sql`
        insert into svc_tenancy.tenants (id, name, created_at, updated_at)
        values (${demoTenantId}, 'Demo', now(), now())
      `.execute(trx);
      await sql`
        insert into svc_tenancy.memberships (tenant_id, user_id, role, created_at)
        values (${demoTenantId}, ${demoOwnerId}, 'owner', now())
      `.execute(trx);
      const limits = createTenantLimits({ db: trx, limitsOf: async () => ({ projects: 1 }) });
      await withTenant(tenantScoped(trx, tablesOfTenants), demoTenantId, async (own) => {
        const db: Kysely<ProjectTables> = own as Db;
        const now = sql<Date>`now()`;
        await db
          .insertInto('app.projects')
          .values({
            id: '01900000-0000-7000-8000-000000000002',
            created_by: demoOwnerId,
            name: 'Demo',
            version: 1,
            created_at: now,
            updated_at: now,
          })
          .execute();
        await limits.reserve(own, demoTenantId, 'projects');
      });
    },
  },
];
