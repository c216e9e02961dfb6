import { uuidv7 } from '@svc/core';
import { type Db, type Migrations, transact, type Trx } from '@svc/db';
import { sql } from 'kysely';
import { type ExportSink, type ExportSource, isolateByTenant, tenantTables } from '../src/index.ts';

/** An app with all types, keys between tables, to itself and in a circle, and a table without isolation. */
export const dataMigrations: Migrations = {
  schema: 'app',
  steps: [
    {
      name: '0001_tables',
      up: [
        `create type app.colour as enum ('red', 'green "and" blue')`,
        `create table app.folders (tenant_id uuid not null, id uuid not null, parent_id uuid, name text not null,
          secret text, primary key (tenant_id, id),
          foreign key (tenant_id, parent_id) references app.folders (tenant_id, id))`,
        ...isolateByTenant('app.folders').up,
        // Named so that the alphabet does not give the order.
        `create table app.a_files (tenant_id uuid not null, id uuid not null, folder_id uuid,
          size bigint, price numeric, fixed numeric(12,4), made_at timestamptz, on_day date, at_time time,
          local timestamp, span interval, bytes bytea, doc json, docb jsonb, tags text[], numbers bigint[],
          grid integer[][], moments timestamptz[], ratio double precision, small real, flag boolean, n integer,
          code char(4), address inet, colour app.colour, "Odd ""name""" text,
          twice integer generated always as (n * 2) stored, seq bigint generated always as identity,
          primary key (tenant_id, id), foreign key (tenant_id, folder_id) references app.folders (tenant_id, id))`,
        ...isolateByTenant('app.a_files').up,
        `create table app.hens (tenant_id uuid not null, id uuid not null, egg_id uuid, primary key (tenant_id, id))`,
        ...isolateByTenant('app.hens').up,
        `create table app.eggs (tenant_id uuid not null, id uuid not null, hen_id uuid, primary key (tenant_id, id),
          foreign key (tenant_id, hen_id) references app.hens (tenant_id, id) deferrable)`,
        ...isolateByTenant('app.eggs').up,
        `alter table app.hens add foreign key (tenant_id, egg_id) references app.eggs (tenant_id, id) deferrable`,
        `create table app.deliveries (tenant_id uuid not null, id uuid not null, body text, primary key (id, tenant_id))`,
        `create index on app.deliveries (tenant_id)`,
        `create table app.ledger (id uuid primary key, tenant_id uuid not null)`,
      ],
      down: [],
    },
  ],
};

export const dataTables = tenantTables([
  'app.a_files',
  { table: 'app.folders', omit: ['secret'] },
  'app.hens',
  'app.eggs',
  'svc_tenancy.usage',
  { table: 'app.deliveries', isolated: false },
  { table: 'app.ledger', kept: 'the law wants it for ten years' },
]);

/** The tables that have rows of a tenant. */
export const filledTables = [
  'app.a_files',
  'app.folders',
  'app.hens',
  'app.eggs',
  'svc_tenancy.usage',
  'app.deliveries',
];

export async function become(trx: Trx, tenantId: string): Promise<void> {
  await sql`select set_config('app.tenant_id', ${tenantId}, true)`.execute(trx);
}

const valuesOf: readonly string[] = [
  `9223372036854775807, 123456789012345678901234567890.10, -1.5000, '2026-03-29 02:30:00.123456+00', '0044-03-15 BC',
   '24:00:00', '1999-12-31 23:59:59.999999', '1 year -2 days 00:00:00.000001', '\\x00ff0a5c'::bytea,
   E'{"a" : 1.10,\\n "a": 2}', '{"deep": [1, null, "\\u00e9"]}', array['a,b', null, 'NULL', '"', E'new\\nline', ''],
   array[1, null, -9223372036854775808], '{{1,2},{3,null}}', array['infinity', '2026-01-01 00:00:00.000001+00']::timestamptz[],
   'NaN', 0.1, true, -1, 'ab', '10.0.0.1/8', 'green "and" blue', E'tab\\t "quoted" \\\\ \\u2028 end'`,
  `-9223372036854775808, 'NaN', null, '-infinity', 'infinity', null, null, null, ''::bytea, 'null', 'null', '{}', null,
   '[0:1][5:5]={{7},{8}}', '{}', '-Infinity', 'Infinity', false, -1073741824, null, null, 'red', ''`,
  Array.from({ length: 23 }, () => 'null').join(', '),
];

/** Rows in each table. */
export async function fillTenant(db: Db, tenantId: string, more = 0, width = 20): Promise<void> {
  await transact(db, async (trx) => {
    await become(trx, tenantId);
    const [folder, child, hen] = [uuidv7(), uuidv7(), uuidv7()];
    // The child first, in one statement.
    await sql`insert into app.folders values (${tenantId}, ${child}, ${folder}, 'child', 'hidden'),
      (${tenantId}, ${folder}, null, 'parent', 'hidden too')`.execute(trx);
    const columns = `tenant_id, id, folder_id, size, price, fixed, made_at, on_day, at_time, local, span, bytes, doc, docb,
      tags, numbers, grid, moments, ratio, small, flag, n, code, address, colour, "Odd ""name"""`;
    for (const values of valuesOf)
      await sql`insert into app.a_files (${sql.raw(columns)})
        values (${tenantId}, ${uuidv7()}, ${folder}, ${sql.raw(values)})`.execute(trx);
    await sql`insert into app.a_files (tenant_id, id, folder_id, n, tags)
      select ${tenantId}, gen_random_uuid(), ${child}, n, array_fill('some text to fill the row'::text, array[${width}::integer])
      from generate_series(1, ${more}::integer) n`.execute(trx);
    await sql`set constraints all deferred`.execute(trx);
    await sql`insert into app.hens values (${tenantId}, ${hen}, ${hen})`.execute(trx);
    await sql`insert into app.eggs values (${tenantId}, ${hen}, ${hen})`.execute(trx);
    await sql`insert into svc_tenancy.usage values (${tenantId}, 'projects', 3)`.execute(trx);
    await sql`insert into app.deliveries values (${tenantId}, ${uuidv7()}, 'a body')`.execute(trx);
    await sql`insert into app.ledger values (${uuidv7()}, ${tenantId})`.execute(trx);
  });
}

/** Every row of a tenant as PostgreSQL writes it. */
export async function rowsOf(
  db: Db,
  tenantId: string,
  tables: readonly string[] = filledTables,
): Promise<Readonly<Record<string, readonly string[]>>> {
  return transact(db, async (trx) => {
    await become(trx, tenantId);
    const all: Record<string, readonly string[]> = {};
    for (const name of tables) {
      const { rows } = await sql<{ row: string }>`
        select t::text as row from ${sql.table(name)} t where tenant_id = ${tenantId} order by 1`.execute(
        trx,
      );
      all[name] = rows.map(({ row }) => row);
    }
    return all;
  });
}

export type Files = Map<string, Buffer>;

/** An export in memory, which a test can change. */
export function filesIn(files: Files): ExportSink & ExportSource {
  return {
    async write(file, chunks) {
      const taken: Uint8Array[] = [];
      for await (const chunk of chunks) taken.push(chunk);
      files.set(file, Buffer.concat(taken));
    },
    async *read(file) {
      const content = files.get(file);
      if (content === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      // In pieces, so that lines are cut.
      for (let at = 0; at < content.length; at += 1000) yield content.subarray(at, at + 1000);
    },
  };
}
