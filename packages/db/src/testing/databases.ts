import { sql } from 'kysely';
import { connect } from '../connect.ts';
import type { Db } from '../connection.ts';

/** A database as its app and as its owner see it. */
export interface DatabaseUrls {
  /** Logs in as a role that owns nothing. */
  readonly url: string;
  /** Logs in as the owner of the database and its tables. */
  readonly ownerUrl: string;
}

export interface RolePasswords {
  ownerPassword: string;
  appPassword: string;
}

/** The role the app has in tests, on both engines. */
export const appRole = 'svc_app';
const ownerRole = 'svc_owner';

/** Makes a database, empty or a copy, owned by `svc_owner`; makes the roles where they are missing. */
export async function setUpDatabase(
  superuserUrl: string,
  name: string,
  { ownerPassword, appPassword }: RolePasswords,
  template?: string,
): Promise<DatabaseUrls> {
  await withDb(superuserUrl, async (db) => {
    await ensureLogin(db, ownerRole, ownerPassword);
    await ensureLogin(db, appRole, appPassword);
    const copied = template === undefined ? sql`` : sql` template ${sql.id(template)}`;
    await sql`create database ${sql.id(name)} owner ${sql.id(ownerRole)}${copied}`.execute(db);
  });
  return {
    url: urlFor(superuserUrl, name, appRole, appPassword),
    ownerUrl: urlFor(superuserUrl, name, ownerRole, ownerPassword),
  };
}

export async function dropDatabase(superuserUrl: string, name: string): Promise<void> {
  await withDb(superuserUrl, (db) =>
    sql`drop database if exists ${sql.id(name)} with (force)`.execute(db),
  );
}

/** Does something on one connection, and closes it. No `await using`: Node 22 cannot read it in sources. */
export async function withDb(url: string, work: (db: Db) => Promise<unknown>): Promise<void> {
  const connection = await connect(url, { poolSize: 1 });
  try {
    await work(connection.db);
  } finally {
    await connection.close();
  }
}

// Roles are the server's, not the database's, and other test files make them at the same moment.
async function ensureLogin(db: Db, role: string, password: string): Promise<void> {
  await db.transaction().execute(async (trx) => {
    await sql`select pg_advisory_xact_lock(hashtext('svc_test_roles'))`.execute(trx);
    const { rows } = await sql`select from pg_catalog.pg_roles where rolname = ${role}`.execute(
      trx,
    );
    if (rows.length > 0) return;
    await sql`create role ${sql.id(role)} login password ${sql.lit(password)}`.execute(trx);
  });
}

function urlFor(superuserUrl: string, database: string, user: string, password: string): string {
  const url = new URL(superuserUrl);
  url.username = user;
  url.password = password;
  url.pathname = `/${database}`;
  return url.href;
}
