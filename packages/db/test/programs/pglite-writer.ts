// Writes one row after another to a PGlite directory and says each one that was committed, until it is killed.
import { sql } from 'kysely';
import { connect } from '../../src/index.ts';

const { db } = await connect(`pglite:${process.argv[2]}`);
await sql`create table if not exists written (id bigint generated always as identity primary key)`.execute(
  db,
);
const { rows } = await sql<{ n: bigint }>`select coalesce(max(id), 0) as n from written`.execute(
  db,
);
process.stdout.write(`${JSON.stringify({ found: Number(rows[0]?.n) })}\n`);
for (;;) {
  const { rows: added } = await sql<{
    id: bigint;
  }>`insert into written default values returning id`.execute(db);
  process.stdout.write(`${JSON.stringify({ id: Number(added[0]?.id) })}\n`);
}
