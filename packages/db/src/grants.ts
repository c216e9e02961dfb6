import { sql } from 'kysely';
import { surroundingsOf, type Trx } from './connection.ts';

/**
 * Lets the app's role work with the tables of a schema, once: those there are and, by default privileges, those to
 * come. Not again later, so that a step may take back what its table should not allow
 * (`current_setting('svc.app_role')` is the role's name). The ledger can only be read.
 */
export async function grantSchema(trx: Trx, schema: string, role: string): Promise<void> {
  await ensureRole(trx, role);
  const { rows } = await sql<{ granted: boolean }>`
    select has_schema_privilege(${role}, ${schema}, 'usage') as granted`.execute(trx);
  if (rows[0]?.granted === true) return;
  const [to, within] = [sql.id(role), sql.id(schema)];
  await sql`grant usage on schema ${within} to ${to}`.execute(trx);
  await sql`grant select, insert, update, delete on all tables in schema ${within} to ${to}`.execute(
    trx,
  );
  await sql`grant usage, select on all sequences in schema ${within} to ${to}`.execute(trx);
  await sql`alter default privileges in schema ${within} grant select, insert, update, delete on tables to ${to}`.execute(
    trx,
  );
  await sql`alter default privileges in schema ${within} grant usage, select on sequences to ${to}`.execute(
    trx,
  );
  await sql`revoke insert, update, delete on ${sql.id(schema, 'migrations')} from ${to}`.execute(
    trx,
  );
}

async function ensureRole(trx: Trx, role: string): Promise<void> {
  const { rows } = await sql`select from pg_catalog.pg_roles where rolname = ${role}`.execute(trx);
  if (rows.length > 0) return;
  // On PostgreSQL a role needs a password and a place in pg_hba.conf: that is for whoever runs the server.
  if (surroundingsOf(trx).engine !== 'pglite')
    throw new TypeError(`the app's role ${role} does not exist; create it first`);
  await sql`create role ${sql.id(role)} nologin`.execute(trx);
}
