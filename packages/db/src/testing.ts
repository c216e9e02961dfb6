import { describe, type TestAPI } from 'vitest';
import type { Migrations } from './migration.ts';
import { type DatabaseFixtures, databaseTestOn, type Engine } from './testing/database-test.ts';

export type { DatabaseFixtures, Engine, TestDatabase } from './testing/database-test.ts';
export {
  type PostgresServer,
  startPostgres,
  type StartPostgresOptions,
  type StopMode,
} from './testing/postgres-server.ts';

export interface DatabaseTestOptions {
  /** @default 'postgres' */
  engine?: Engine;
  /** A PostgreSQL server to use, as one who may create databases and roles. @default DATABASE_URL, else one that the test run starts */
  serverUrl?: string;
}

/**
 * Vitest's `test` with a migrated database of the file's own: `db` is the app's low role, `asOwner` runs a transaction
 * as the owner of the tables. On a real PostgreSQL that the test run starts and stops by itself, or on PGlite.
 */
export function databaseTest(
  migrations: readonly Migrations[] = [],
  { engine = 'postgres', serverUrl = process.env['DATABASE_URL'] }: DatabaseTestOptions = {},
): TestAPI<DatabaseFixtures> {
  const usable = serverUrl?.startsWith('postgres') === true ? serverUrl : undefined;
  return databaseTestOn(migrations, engine, usable);
}

/** Runs the same tests on PostgreSQL and on PGlite. */
export function describeDatabases(
  name: string,
  migrations: readonly Migrations[],
  define: (test: TestAPI<DatabaseFixtures>) => void,
): void {
  for (const engine of ['postgres', 'pglite'] as const) {
    // Outside of describe: vitest allows fixtures of a whole file only there.
    const test = databaseTest(migrations, { engine });
    describe(`${name} (${engine})`, () => define(test));
  }
}
