// Reads and writes one value of each kind and prints what JavaScript sees, type included.
import { sql } from 'kysely';
import { connect } from '../../src/index.ts';

type Tagged = string | null | Tagged[];

function tag(value: unknown): Tagged {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(tag);
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof Uint8Array)
    return `${value.constructor.name} ${Buffer.from(value).toString('hex')}`;
  if (typeof value === 'object') return `object ${JSON.stringify(value)}`;
  return `${typeof value} ${String(value)}`;
}

const literals = [
  '1::int2',
  '1::int4',
  '9007199254740993::int8',
  'count(*)',
  'sum(1::int4)',
  'sum(1::int8)',
  '1.50::numeric',
  "'NaN'::numeric",
  '1.5::float4',
  "'-Infinity'::float8",
  "'NaN'::float8",
  'true',
  'false',
  "'\\x00ff'::bytea",
  "''::bytea",
  "'a'::text",
  "'a'::char(3)",
  "'a'::varchar",
  "'a'::name",
  'null::text',
  "'00000000-0000-7000-8000-000000000001'::uuid",
  `'{"a":[1,null,"x"]}'::jsonb`,
  "'[1]'::json",
  "'null'::jsonb",
  `'"s"'::jsonb`,
  "'12'::jsonb",
  "'2026-03-29 02:30:00.123456+05:45'::timestamptz",
  "'1890-01-01 00:00:00+00'::timestamptz",
  "'0044-03-15 12:00:00+00 BC'::timestamptz",
  "'12026-01-01 00:00:00+00'::timestamptz",
  "'0050-06-01 00:00:00+00'::timestamptz",
  "'infinity'::timestamptz",
  "'-infinity'::timestamptz",
  "'2026-03-29'::date",
  "'infinity'::date",
  "'2026-03-29 02:30:00'::timestamp",
  "'02:30:00'::time",
  "'1 day 2 hours'::interval",
  "'10.0.0.1'::inet",
  '1::oid',
  'array[1,null,3]',
  'array[1::int8,null]',
  "array['a',null,'NULL','x,\"y\\z{}','']",
  'array[true,null]',
  "array['\\x01'::bytea,null]",
  "array['2026-01-01 00:00:00+00'::timestamptz,null,'infinity']",
  "array['2026-01-01'::date]",
  "array['1.5'::numeric]",
  `array['{"a":"}\\""}'::jsonb,null]`,
  'array[[1,2],[3,null]]',
  "'{}'::int4[]",
  "'[0:1]={7,8}'::int4[]",
  "array['00000000-0000-7000-8000-000000000001'::uuid]",
  'array[1.5::float8]',
  "array['1 day'::interval]",
];
const parameters: readonly (readonly [type: string, value: unknown])[] = [
  ['int4', 5],
  ['int8', 9007199254740993n],
  ['int4', 5n],
  ['int8', 5],
  ['numeric', '1.5'],
  ['numeric', 1.5],
  ['float8', Infinity],
  ['bool', true],
  ['bool', false],
  ['text', true],
  ['text', 5],
  ['text', 'a\\"\'{},é😀'],
  ['text', null],
  ['text', undefined],
  ['bytea', new Uint8Array([0, 255])],
  ['bytea', Buffer.from('ab')],
  ['uuid', '00000000-0000-7000-8000-000000000001'],
  ['timestamptz', new Date('2026-03-29T02:30:00.123Z')],
  ['timestamptz', new Date('-000043-03-15T12:00:00Z')],
  ['timestamptz', new Date('+012026-01-01T00:00:00Z')],
  ['timestamptz', Infinity],
  ['timestamp', new Date('2026-03-29T02:30:00Z')],
  ['date', '2026-03-29'],
  ['date', new Date('2026-03-29T23:30:00Z')],
  ['jsonb', { a: [1, null, { b: 'x' }] }],
  ['jsonb', [1, 'a', { b: null }]],
  ['jsonb', []],
  ['jsonb', '{"a":1}'],
  ['jsonb', 5],
  ['jsonb', true],
  ['json', [[1]]],
  ['jsonb', new Date('2026-01-01T00:00:00Z')],
  ['jsonb', null],
  ['int4[]', [1, null, 3]],
  ['int8[]', [1n, 2n, null]],
  ['text[]', ['a', null, 'NULL', 'x,"y\\z{}', '', 'é']],
  ['bool[]', [true, false]],
  ['timestamptz[]', [new Date('2026-01-01T00:00:00Z'), null]],
  ['bytea[]', [new Uint8Array([1]), null]],
  ['int4[]', []],
  [
    'int4[]',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  ['jsonb[]', [{ a: 1 }, null]],
  ['uuid[]', ['00000000-0000-7000-8000-000000000001']],
  ['float8[]', [1.5, NaN]],
];

const connection = await connect(process.argv[2] as string);
const { db } = connection;
const seen: [string, Tagged][] = [];
const keep = async (
  name: string,
  query: { execute(on: typeof db): Promise<{ rows: { v: unknown }[] }> },
) => seen.push([name, tag((await query.execute(db)).rows[0]?.v)]);

for (const literal of literals)
  await keep(literal, sql<{ v: unknown }>`select ${sql.raw(literal)} as v`);
for (const [type, value] of parameters) {
  await keep(
    `${type} ${JSON.stringify(tag(value ?? null))}`,
    sql<{ v: unknown }>`select ${value}::${sql.raw(type)} as v`,
  );
}
await sql`create temporary table t (id int, data jsonb, at timestamptz)`.execute(db);
const inserted = await db
  .insertInto('t')
  .values([
    { id: 1, data: [1] },
    { id: 2, at: new Date(0) },
  ])
  .executeTakeFirst();
seen.push(['inserted', tag(inserted.numInsertedOrUpdatedRows)]);
const updated = await db
  .updateTable('t')
  .set({ data: { a: [] } })
  .where('id', 'in', [1, 2])
  .executeTakeFirst();
seen.push(['updated', tag(updated.numUpdatedRows)]);
const deleted = await db
  .deleteFrom('t')
  .where('id', '=', undefined as never)
  .executeTakeFirst();
seen.push(['deleted', tag(deleted.numDeletedRows)]);
seen.push(['select', tag(String((await sql`select 1`.execute(db)).numAffectedRows))]);
process.stdout.write(`${JSON.stringify(seen)}\n`);
await connection.close();
