import type { Seed } from '@svc/db';
import { sql } from 'kysely';

/** The demo owner is nobody who can sign in: a project that shows that seeding worked. */
export const demoOwnerId = '01900000-0000-7000-8000-000000000001';

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
        insert into app.projects (id, owner_id, name, version, created_at, updated_at)
        values ('01900000-0000-7000-8000-000000000002', ${demoOwnerId}, 'Demo', 1, now(), now())
      `.execute(trx);
    },
  },
];
