import { randomToken, sha256, silentLogger, systemClock } from '@svc/core';
import { sql } from 'kysely';
import { test, type TestAPI } from 'vitest';
import { connect, connectionOver } from '../connect.ts';
import type { Connection, Db, Trx } from '../connection.ts';
import { migrate } from '../migrate.ts';
import { checksumOf, type Migrations } from '../migration.ts';
import { openPglite } from '../pglite/open.ts';
import { transact } from '../transact.ts';
import { appRole, type DatabaseUrls, dropDatabase, setUpDatabase, withDb } from './databases.ts';
import { sharedServer, type SharedServer } from './shared-server.ts';

export type Engine = 'postgres' | 'pglite';

/** A migrated database of one test file. */
export interface TestDatabase {
  readonly engine: Engine;
  /** As the app has it: a role that owns nothing. */
  readonly connection: Connection;
  readonly db: Db;
  /** Runs a transaction as the owner of the tables. */
  asOwner<T>(fn: (trx: Trx) => Promise<T>): Promise<T>;
  /** For other processes and further connections; PGlite in memory has none. */
  readonly urls: DatabaseUrls | undefined;
}

export interface DatabaseFixtures {
  readonly database: TestDatabase;
  readonly connection: Connection;
  readonly db: Db;
}

type OpenDatabase = TestDatabase & { remove(): Promise<void> };

export function databaseTestOn(
  migrations: readonly Migrations[],
  engine: Engine,
  serverUrl: string | undefined,
): TestAPI<DatabaseFixtures> {
  const open = () =>
    engine === 'postgres' ? openOnPostgres(migrations, serverUrl) : openOnPglite(migrations);
  return test.extend<DatabaseFixtures>({
    database: [
      // oxlint-disable-next-line no-empty-pattern -- vitest reads which fixtures are needed from the pattern
      async ({}, use) => {
        const database = await open();
        await use(database);
        await database.remove();
      },
      { scope: 'file' },
    ],
    connection: [({ database }, use) => use(database.connection), { scope: 'file' }],
    db: [({ database }, use) => use(database.db), { scope: 'file' }],
  }) as unknown as TestAPI<DatabaseFixtures>;
}

async function openOnPostgres(
  migrations: readonly Migrations[],
  serverUrl: string | undefined,
): Promise<OpenDatabase> {
  const server = await sharedServer(serverUrl);
  const template = await ensureTemplate(server, migrations);
  const name = `svc_test_${randomName()}`;
  const urls = await setUpDatabase(server.superuserUrl, name, server.passwords, template);
  const owner = await connect(urls.ownerUrl, { poolSize: 2 });
  const connection = await connect(urls.url);
  return {
    engine: 'postgres',
    connection,
    db: connection.db,
    urls,
    asOwner: (fn) => transact(owner.db, fn),
    async remove() {
      await Promise.all([connection.close(), owner.close()]);
      await dropDatabase(server.superuserUrl, name);
    },
  };
}

const randomName = () =>
  randomToken(9)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0');

// Migrating takes longer than copying what is migrated, and many files want the same.
async function ensureTemplate(
  { superuserUrl, passwords }: SharedServer,
  migrations: readonly Migrations[],
): Promise<string> {
  const steps = migrations.map(({ schema, steps }) => [schema, ...steps.map(checksumOf)]);
  const template = `svc_template_${Buffer.from(sha256(JSON.stringify(steps)))
    .toString('hex')
    .slice(0, 24)}`;
  const prepare = async (db: Db) => {
    // Held by the session: a lock of a transaction would not span CREATE DATABASE, which allows none.
    await sql`select pg_advisory_lock(hashtext(${template}))`.execute(db);
    const { rows } =
      await sql`select from pg_catalog.pg_database where datname = ${template}`.execute(db);
    if (rows.length > 0) return;
    const draft = `${template}_draft`;
    await sql`drop database if exists ${sql.id(draft)} with (force)`.execute(db);
    const { ownerUrl } = await setUpDatabase(superuserUrl, draft, passwords);
    await withDb(ownerUrl, (owner) => migrate(owner, migrations, { appRole }));
    await renameWhenUnused(db, draft, template);
  };
  await withDb(superuserUrl, (db) => db.connection().execute(prepare));
  return template;
}

// The server takes a moment to notice that we have left.
async function renameWhenUnused(db: Db, from: string, to: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      await sql`alter database ${sql.id(from)} rename to ${sql.id(to)}`.execute(db);
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== '55006' || tries > 100) throw error;
      await systemClock.sleep(20);
    }
  }
}

async function openOnPglite(migrations: readonly Migrations[]): Promise<OpenDatabase> {
  const sessions = await openPglite({
    acquireTimeoutMs: 10_000,
    role: appRole,
    clock: systemClock,
  });
  const connection = connectionOver(sessions, 'pglite', systemClock, silentLogger);
  await migrate(connection.db, migrations, { appRole });
  return {
    engine: 'pglite',
    connection,
    db: connection.db,
    urls: undefined,
    asOwner: (fn) =>
      transact(connection.db, async (trx) => {
        await sql`set local role none`.execute(trx);
        return fn(trx);
      }),
    remove: () => connection.close(),
  };
}
