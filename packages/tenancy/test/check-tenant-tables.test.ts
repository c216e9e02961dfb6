import { transact } from '@svc/db';
import { describeDatabases, type TestDatabase } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect, test as plain } from 'vitest';
import { checkTenantTables, lintTenancy, tenantTables } from '../src/index.ts';
import { parentsFirst } from '../src/data/foreign-key-order.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { dataMigrations, dataTables } from './data-tables.ts';

class Undone extends Error {}

/** What is found after these statements, which are undone. */
async function findings(
  { asOwner }: TestDatabase,
  statements: readonly string[],
  list = dataTables,
): Promise<readonly (readonly [string, string])[]> {
  let found: readonly (readonly [string, string])[] = [];
  await asOwner(async (trx) => {
    for (const statement of statements) await sql.raw(statement).execute(trx);
    found = (await checkTenantTables(trx, list)).map(({ table, rule }) => [table, rule] as const);
    throw new Undone();
  }).catch((error: unknown) => {
    if (!(error instanceof Undone)) throw error;
  });
  return found;
}

describeDatabases('the list of tenant tables', [tenancyMigrations, dataMigrations], (test) => {
  test('that is whole has no finding, here and in the linter', async ({ db, database }) => {
    expect(await findings(database, [])).toEqual([]);
    const missing = (await lintTenancy(db, { tables: dataTables })).filter(
      ({ rule }) => rule === 'table-not-registered' || rule === 'registered-table-missing',
    );
    expect(missing).toEqual([]);
  });

  test.for([
    [
      'a new table that it lacks',
      [`create table app.new (tenant_id uuid not null, id uuid)`],
      [['app.new', 'table-not-registered']],
    ],
    [
      'a new table of another schema that it lacks, once for all partitions',
      [
        `create schema other`,
        `create table other.new (tenant_id uuid not null, id uuid) partition by hash (id)`,
        `create table other.new_0 partition of other.new for values with (modulus 1, remainder 0)`,
      ],
      [['other.new', 'table-not-registered']],
    ],
    [
      'a table that is gone',
      [`drop table app.deliveries`],
      [['app.deliveries', 'registered-table-missing']],
    ],
    [
      'a table that lost its tenant',
      [`alter table app.deliveries drop column tenant_id`],
      [['app.deliveries', 'registered-table-missing']],
    ],
    [
      'a secret that is gone, and may have another name now',
      [`alter table app.folders rename secret to token`],
      [['app.folders', 'omitted-column-missing']],
    ],
    [
      'a secret without which no row can be imported',
      [`alter table app.folders alter column secret set not null`],
      [['app.folders', 'omitted-column-required']],
    ],
    [
      'a circle of keys that is checked at once',
      [
        `alter table app.eggs alter constraint eggs_tenant_id_hen_id_fkey not deferrable`,
        `alter table app.hens alter constraint hens_tenant_id_egg_id_fkey not deferrable`,
      ],
      [['app.eggs', 'foreign-key-circle']],
    ],
  ] as const)('lets %s be found', async ([, faults, expected], { database }) => {
    expect(await findings(database, faults)).toEqual(expected);
  });

  test('a secret with a default is no finding, nor one of a table that is not exported', async ({
    database,
  }) => {
    const fault = `alter table app.folders alter column secret set not null`;
    expect(
      await findings(database, [
        fault,
        `alter table app.folders alter column secret set default ''`,
      ]),
    ).toEqual([]);
  });

  test('looks at another column, and at some schemas only', async ({ db }) => {
    const list = tenantTables([], { directory: false });
    const found = await checkTenantTables(db, list, { column: 'folder_id' });
    expect(found.map(({ table }) => table)).toEqual(['app.a_files']);
    expect(await checkTenantTables(db, list, { schemas: ['public'] })).toEqual([]);
    const all = await transact(db, (trx) => checkTenantTables(trx, list, { schemas: ['app'] }));
    expect(all).toHaveLength(6);
  });
});

plain('tables come after those that they refer to, circles together', () => {
  const refer = (...pairs: string[]) =>
    pairs.map((pair) => ({ from: pair[0] as string, to: pair[1] as string, deferrable: false }));
  const groups = parentsFirst([...'abcdef'], refer('ab', 'bc', 'cb', 'cd', 'ee', 'ae'));
  expect(groups.map((group) => group.toSorted().join(''))).toEqual(['d', 'bc', 'e', 'a', 'f']);
});

plain('a list names each table once, and says why one is kept', () => {
  expect(() => tenantTables(['app.a', { table: 'app.a', isolated: false }])).toThrow('named twice');
  expect(() => tenantTables([{ table: 'app.a', kept: ' ' }])).toThrow('says why');
  expect(() => tenantTables([{ table: 'app.a', omit: ['a b'] }])).toThrow(TypeError);
});
