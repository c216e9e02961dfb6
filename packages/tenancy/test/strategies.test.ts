import { connect, transact, type Db } from '@svc/db';
import { databaseTest, describeDatabases, type TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import {
  lintTenancy,
  migrateTenants,
  schemaPerTenant,
  sharedTables,
  tenantTables,
} from '../src/index.ts';
import { tenantSchema } from '../src/isolation/strategies/schema-per-tenant.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { createProjects, keepsApart, projectMigrations, tables } from './projects.ts';
import { uuid } from './two-tables.ts';

/** A connection as the owner: on PGlite the one there is, whose role the migrations lay aside. */
async function asOwner<T>({ urls, db }: TestDatabase, fn: (owner: Db) => Promise<T>): Promise<T> {
  if (urls === undefined) return fn(db);
  await using owner = await connect(urls.ownerUrl, { poolSize: 6 });
  return await fn(owner.db);
}
const common = { migrations: projectMigrations, schemaOf: tenantSchema, appRole: 'svc_app' };

describeDatabases('the same code', [tenancyMigrations, projectMigrations()], (test) => {
  test('runs on tables that tenants share', ({ db }) =>
    keepsApart(sharedTables({ db, tables }), [uuid(1), uuid(2)], uuid(10)));

  test('runs on a schema for each tenant', async ({ database, db }) => {
    await asOwner(database, async (owner) => {
      const isolation = schemaPerTenant({ db, tables, migrate: { ...common, db: owner } });
      await keepsApart(isolation, [uuid(3), uuid(4)], uuid(10));
    });
    const schema = tenantSchema(uuid(3));
    const rows = await transact(db, async (trx) => {
      expect((await sql`select from ${sql.table(`${schema}.projects`)}`.execute(trx)).rows).toEqual(
        [],
      );
      await sql`select set_config('app.tenant_id', ${uuid(3)}, true)`.execute(trx);
      return (await sql`select name from ${sql.table(`${schema}.projects`)}`.execute(trx)).rows;
    });
    expect(rows).toEqual([{ name: 'apollo' }]);
    expect(await lintTenancy(db, { schemas: [schema] })).toEqual([]);
  });
});

const test = databaseTest([tenancyMigrations]);
const thirty = Array.from({ length: 30 }, (_, index) => uuid(300 + index));
const one = (schema: string) => ({
  ...projectMigrations(schema),
  steps: projectMigrations(schema).steps.slice(0, 1),
});
const ledger = (db: Db) =>
  db
    .selectFrom('svc_tenancy.schema_steps')
    .select(['schema', 'step'])
    .orderBy('schema')
    .orderBy('step')
    .execute();

test('the schemas of thirty tenants are migrated at once, go on after a failure, and each step is applied once', async ({
  database,
  db,
}) => {
  await asOwner(database, async (owner) => {
    const options = { ...common, db: owner, tenantIds: thirty };
    // Two runs at once, of the first step.
    const both = await Promise.all(
      [1, 2].map(() => migrateTenants({ ...options, migrations: one })),
    );
    expect(both.flatMap(({ failed }) => failed)).toEqual([]);
    expect(both.reduce((sum, { applied }) => sum + applied, 0)).toBe(30);

    // One tenant is in the way of the second step.
    const stuck = thirty[17] as string;
    await sql`create table ${sql.table(`${tenantSchema(stuck)}.tasks`)} (x integer)`.execute(owner);
    const broken = await migrateTenants(options);
    expect(broken).toMatchObject({ applied: 29, failed: [{ tenantId: stuck }] });
    expect(String(broken.failed[0]?.error)).toContain('0002_tasks failed');

    // It goes on where it stood.
    await sql`drop table ${sql.table(`${tenantSchema(stuck)}.tasks`)}`.execute(owner);
    expect(await migrateTenants(options)).toEqual({ applied: 1, upToDate: 29, failed: [] });
    expect(await migrateTenants(options)).toEqual({ applied: 0, upToDate: 30, failed: [] });
    expect(await ledger(db)).toHaveLength(60);
  });

  const isolation = schemaPerTenant({ db, tables });
  const projects = createProjects(isolation);
  await Promise.all(
    thirty.map((tenantId) => projects.create(tenantId, uuid(10), `of ${tenantId}`)),
  );
  for (const tenantId of thirty)
    expect((await projects.list(tenantId)).map(({ name }) => name)).toEqual([`of ${tenantId}`]);
  expect(await lintTenancy(db)).toEqual([]);
});

test('a run that is told to stop leaves whole steps behind, and the next one does the rest', async ({
  database,
  db,
}) => {
  const tenantIds = Array.from({ length: 6 }, (_, index) => uuid(400 + index));
  await asOwner(database, async (owner) => {
    const stop = new AbortController();
    const options = { ...common, db: owner, tenantIds };
    const before = (await ledger(db)).length;
    const first = migrateTenants({ ...options, concurrency: 2, signal: stop.signal });
    while ((await ledger(db)).length === before);
    stop.abort();
    const { applied } = await first;
    expect(applied).toBeGreaterThan(0);
    expect(applied).toBeLessThan(12);
    expect((await migrateTenants(options)).applied).toBe(12 - applied);
  });
});

test('an applied step that reads differently now is refused, for that tenant', async ({
  database,
}) => {
  await asOwner(database, async (owner) => {
    const options = { ...common, db: owner, tenantIds: [uuid(500)] };
    await migrateTenants({ ...options, migrations: one });
    const changed = (schema: string) => {
      const [first] = one(schema).steps;
      return { schema, steps: [{ ...first, name: '0001_projects', up: ['select 1'], down: [] }] };
    };
    const { failed } = await migrateTenants({ ...options, migrations: changed });
    expect(String(failed[0]?.error)).toContain('was changed after it had been applied');
    await expect(
      migrateTenants({ ...options, migrations: () => projectMigrations('app') }),
    ).rejects.toThrow('that schema');
    await expect(migrateTenants({ ...options, schemaOf: () => 'a"b' })).rejects.toThrow(TypeError);
  });
});

test('the app itself cannot write the ledger of the steps', async ({ db }) => {
  await expect(
    db
      .insertInto('svc_tenancy.schema_steps')
      .values({ schema: 'x', step: 'y', checksum: 'z' })
      .execute(),
  ).rejects.toMatchObject({ code: '42501' });
});

test('a schema for each tenant needs names that say which tables are meant', ({ db }) => {
  expect(() => schemaPerTenant({ db, tables: tenantTables(['projects']) })).toThrow(
    'not be public',
  );
});
