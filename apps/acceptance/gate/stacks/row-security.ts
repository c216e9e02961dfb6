import { connect } from '@svc/db';
import { sql } from 'kysely';

/** Has row-level security hold for the app's own tables, or not. */
export async function switchRowSecurity(superuserUrl: string, on: boolean): Promise<void> {
  await using connection = await connect(superuserUrl, { poolSize: 1 });
  const { rows } = await sql<{ name: string }>`
    select c.relname as name from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'app' and exists (select from pg_catalog.pg_policy p where p.polrelid = c.oid)
    `.execute(connection.db);
  if (rows.length === 0) throw new Error('the app has no table with row-level security');
  const state = sql.raw(on ? 'enable' : 'disable');
  for (const { name } of rows)
    await sql`alter table ${sql.id('app', name)} ${state} row level security`.execute(
      connection.db,
    );
}
