import type { Trx } from '@svc/db';
import { sql } from 'kysely';
import type { ColumnShape, TableShape } from './shapes.ts';

const batchBytes = 1_000_000;
const largestFetch = 1024;

/** The columns that an export holds. */
export const exportedColumns = ({ columns, omit }: TableShape): readonly ColumnShape[] =>
  columns.filter(({ name }) => !omit.includes(name));

const tableOf = ({ schema, name }: TableShape) => sql.id(schema, name);

/**
 * The rows of a tenant as lines of JSON, in batches of about a megabyte, by a cursor: memory does not grow with the table.
 * PostgreSQL writes the lines, so no value passes through a JavaScript type that is less exact. The transaction has one
 * such cursor at a time.
 */
export async function* readLines(
  trx: Trx,
  table: TableShape,
  tenantId: string,
  limit?: number,
): AsyncGenerator<readonly string[]> {
  const columns = exportedColumns(table).map(({ name, native }) =>
    native ? sql.id(name) : sql`${sql.id(name)}::text as ${sql.id(name)}`,
  );
  const atMost = limit === undefined ? sql`` : sql`limit ${sql.lit(limit)}`;
  await sql`declare svc_export no scroll cursor for
    select row_to_json(r)::text as line from (
      select ${sql.join(columns)} from ${tableOf(table)}
      where ${sql.id(table.column)} = ${sql.lit(tenantId)} ${atMost}
    ) r`.execute(trx);
  let wanted = 16;
  for (;;) {
    const fetched = await sql<{ line: string }>`fetch ${sql.lit(wanted)} from svc_export`.execute(
      trx,
    );
    const lines = fetched.rows.map(({ line }) => line);
    if (lines.length === 0) break;
    yield lines;
    const bytes = lines.reduce((sum, line) => sum + line.length, 0);
    // Powers of two, so that there are few statements to prepare.
    if (bytes * 2 < batchBytes) wanted = Math.min(largestFetch, wanted * 2);
    else if (bytes > batchBytes) wanted = Math.max(1, wanted / 2);
  }
  await sql`close svc_export`.execute(trx);
}

/** Writes lines as rows of this tenant, whatever tenant they were of. */
export async function writeLines(
  trx: Trx,
  table: TableShape,
  tenantId: string,
  lines: readonly string[],
): Promise<void> {
  const list = `[${lines.join(',')}]`;
  await insertFrom(trx, table, tenantId, (row) => sql`json_to_recordset(${list}::json) as ${row}`);
}

/** Keeps lines for `writeStaged`. */
export async function stageLines(trx: Trx, lines: readonly string[]): Promise<void> {
  await sql`create temporary table if not exists svc_import (line json) on commit drop`.execute(
    trx,
  );
  await sql`insert into pg_temp.svc_import
    select line from json_array_elements(${`[${lines.join(',')}]`}::json) line`.execute(trx);
}

/** Writes what was kept, in one statement: a row may refer to one that comes after it. */
export async function writeStaged(trx: Trx, table: TableShape, tenantId: string): Promise<void> {
  await insertFrom(
    trx,
    table,
    tenantId,
    (row) => sql`pg_temp.svc_import, json_to_record(line) as ${row}`,
  );
  await sql`truncate pg_temp.svc_import`.execute(trx);
}

async function insertFrom(
  trx: Trx,
  table: TableShape,
  tenantId: string,
  rowsAs: (row: ReturnType<typeof sql>) => ReturnType<typeof sql>,
): Promise<void> {
  const columns = exportedColumns(table);
  // Types come from the catalogue, which quotes them.
  const typeOf = ({ native, type }: ColumnShape) => (native ? sql.raw(type) : sql`text`);
  const read = columns.map((column) => sql`${sql.id(column.name)} ${typeOf(column)}`);
  const values = columns.map(({ name, native, type }) => {
    if (name === table.column) return sql`${tenantId}::${sql.raw(type)}`;
    return native ? sql`r.${sql.id(name)}` : sql`r.${sql.id(name)}::${sql.raw(type)}`;
  });
  const row = sql`r(${sql.join(read)})`;
  await sql`insert into ${tableOf(table)} (${sql.join(columns.map(({ name }) => sql.id(name)))})
    overriding system value select ${sql.join(values)} from ${rowsAs(row)}`.execute(trx);
}

/** Whether the tenant has any row in the table. */
export async function hasRows(trx: Trx, table: TableShape, tenantId: string): Promise<boolean> {
  const { rows } = await sql<{ found: boolean }>`
    select exists (select from ${tableOf(table)} where ${sql.id(table.column)} = ${tenantId}) as found`.execute(
    trx,
  );
  return rows[0]?.found === true;
}

export async function countRows(trx: Trx, table: TableShape, tenantId: string): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`
    select count(*) as count from ${tableOf(table)} where ${sql.id(table.column)} = ${tenantId}`.execute(
    trx,
  );
  return Number(rows[0]?.count);
}

/** Deletes at most so many rows of the tenant, all of them without a number; gives how many. */
export async function deleteRows(
  trx: Trx,
  table: TableShape,
  tenantId: string,
  atMost?: number,
): Promise<number> {
  const own = sql`${sql.id(table.column)} = ${tenantId}`;
  // The tenant again: partitions of a table have rows of the same ctid.
  const some =
    atMost === undefined
      ? sql``
      : sql`and ctid = any(array(select ctid from ${tableOf(table)} where ${own} limit ${sql.lit(atMost)}))`;
  const { rows } = await sql<{ count: bigint }>`
    with gone as (delete from ${tableOf(table)} where ${own} ${some} returning 1)
    select count(*) as count from gone`.execute(trx);
  return Number(rows[0]?.count);
}
