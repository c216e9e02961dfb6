import type { Db } from '@svc/db';
import { sql } from 'kysely';
import { nameOf, type TenantTable } from '../isolation/tenant-tables.ts';
import type { Reference } from './foreign-key-order.ts';

/** A column as the catalogue has it. */
export interface ColumnShape {
  readonly name: string;
  /** As `format_type` writes it: `numeric(10,2)`. */
  readonly type: string;
  /** Not null, and without a default. */
  readonly required: boolean;
  /** A row's JSON has it as it is; every other type is text there, which is exact. */
  readonly native: boolean;
}

/** A table of tenants, with the columns that hold data of its own. */
export interface TableShape extends TenantTable {
  readonly fullName: string;
  readonly columns: readonly ColumnShape[];
}

/** What the catalogue says of these tables; one that is missing has no columns. Computed columns are left out. */
export async function readShapes(
  db: Db,
  tables: readonly TenantTable[],
): Promise<readonly TableShape[]> {
  const { rows } = await sql<ColumnShape & { table: string }>`
    select n.nspname || '.' || c.relname as table, a.attname::text as name,
      pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
      a.attnotnull and not a.atthasdef and a.attidentity = '' as required,
      a.atttypid in ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'bpchar'::regtype) as native
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_class c on c.oid = a.attrelid
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      and n.nspname || '.' || c.relname = any(${tables.map(nameOf)}::text[])
    order by a.attnum`.execute(db);
  const columns = Map.groupBy(rows, ({ table }) => table);
  return tables.map((table) => {
    const fullName = nameOf(table);
    return { ...table, fullName, columns: columns.get(fullName) ?? [] };
  });
}

/** How these tables refer to each other, and to themselves. */
export async function readReferences(
  db: Db,
  tables: readonly TenantTable[],
): Promise<readonly Reference[]> {
  const names = tables.map(nameOf);
  const { rows } = await sql<Reference>`
    select fn.nspname || '.' || f.relname as from, tn.nspname || '.' || t.relname as to,
      k.condeferrable as deferrable
    from pg_catalog.pg_constraint k
    join pg_catalog.pg_class f on f.oid = k.conrelid join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
    join pg_catalog.pg_class t on t.oid = k.confrelid join pg_catalog.pg_namespace tn on tn.oid = t.relnamespace
    where k.contype = 'f' and k.conparentid = 0 and fn.nspname || '.' || f.relname = any(${names}::text[])
      and tn.nspname || '.' || t.relname = any(${names}::text[])`.execute(db);
  return rows;
}
