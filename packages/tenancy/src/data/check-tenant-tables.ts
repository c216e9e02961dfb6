import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { Finding } from '../isolation/lint/finding.ts';
import { nameOf, type TenantTables } from '../isolation/tenant-tables.ts';
import { tablesKept, tablesToDelete } from './directory-tables.ts';
import { parentsFirst } from './foreign-key-order.ts';
import { readReferences, readShapes, type TableShape } from './shapes.ts';

export interface CheckTenantTablesOptions {
  /** The column that makes a table a tenant table. @default 'tenant_id' */
  column?: string;
  /** Only these schemas. @default all but PostgreSQL's own */
  schemas?: readonly string[] | undefined;
}

/**
 * Compares the list of tenant tables with the catalogue; none is what a gate asks for. A table with the tenant column that
 * the list lacks would neither be exported nor deleted. `lintTenancy` does it, too, where it is given the list.
 */
export async function checkTenantTables(
  db: Db,
  list: TenantTables,
  { column = 'tenant_id', schemas }: CheckTenantTablesOptions = {},
): Promise<readonly Finding[]> {
  const tables = tablesToDelete(list);
  const shapes = await readShapes(db, tables);
  const found = await readTenantTables(db, column, schemas);
  const listed = new Set([...tables, ...tablesKept(list)].map(nameOf));
  const unlisted = found.filter((name) => !listed.has(name));
  const references = await readReferences(db, tables);
  const fixed = references.filter(({ from, to, deferrable }) => from !== to && !deferrable);
  return [
    ...unlisted.map(notRegistered),
    ...shapes.flatMap(shapeFindings),
    ...parentsFirst(
      shapes.map(({ fullName }) => fullName),
      fixed,
    )
      .filter((group) => group.length > 1)
      .map(circle),
  ].toSorted((a, b) => `${a.table} ${a.rule}`.localeCompare(`${b.table} ${b.rule}`));
}

async function readTenantTables(
  db: Db,
  column: string,
  schemas: readonly string[] | undefined,
): Promise<readonly string[]> {
  const inSchemas =
    schemas === undefined
      ? sql<boolean>`n.nspname !~ '^pg_' and n.nspname <> 'information_schema'`
      : sql<boolean>`n.nspname = any(${schemas}::text[])`;
  const { rows } = await sql<{ name: string }>`
    select n.nspname || '.' || c.relname as name from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attname = ${column} and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition and ${inSchemas}`.execute(db);
  return rows.map(({ name }) => name);
}

const notRegistered = (name: string): Finding => ({
  table: name,
  rule: 'table-not-registered',
  message:
    'The list of tenant tables lacks it: the scope lets it through, export and deletion leave it out.',
  fix: `tenantTables([…, '${name}'])`,
});

function shapeFindings({ fullName, column, columns, omit, exported }: TableShape): Finding[] {
  const byName = new Map(columns.map((each) => [each.name, each]));
  if (!byName.has(column))
    return [
      {
        table: fullName,
        rule: 'registered-table-missing',
        message: `The list of tenant tables has it, but there is no such table with ${column}.`,
        fix: 'take it out of the list, or add the column',
      },
    ];
  return omit.flatMap((name): Finding[] => {
    const omitted = byName.get(name);
    if (omitted === undefined)
      return [
        {
          table: fullName,
          rule: 'omitted-column-missing',
          message: `The list leaves out ${name}, which the table does not have.`,
          fix: `take ${name} out of the list`,
        },
      ];
    if (!exported || !omitted.required) return [];
    return [
      {
        table: fullName,
        rule: 'omitted-column-required',
        message: `No export has ${name}, but a row must have it: an import would be refused.`,
        fix: `alter table ${fullName} alter column ${name} drop not null, or list the table with exported: false`,
      },
    ];
  });
}

const circle = (group: readonly string[]): Finding => ({
  table: group.toSorted()[0] as string,
  rule: 'foreign-key-circle',
  message: `${group.toSorted().join(', ')} refer to each other: no row of an import could be the first.`,
  fix: 'alter table … alter constraint … deferrable',
});
