import { sql } from 'kysely';
import type { Db, Trx } from './connection.ts';
import { asOwner } from './owner.ts';

/** Rows that a database should begin with. */
export interface Seed {
  readonly name: string;
  /** Runs once per database, in one transaction with the note that it did. */
  run(trx: Trx): Promise<void>;
}

/** Runs the seeds that this database has not had, in order, as its owner; gives their names. A second call does nothing. */
export async function seed(db: Db, seeds: readonly Seed[]): Promise<readonly string[]> {
  if (new Set(seeds.map(({ name }) => name)).size < seeds.length)
    throw new TypeError('two seeds have one name');
  const done: string[] = [];
  for (const { name, run } of seeds) {
    const isNew = await asOwner(db, {}, async (trx) => {
      await sql`create schema if not exists svc_db`.execute(trx);
      await sql`create table if not exists svc_db.seeds (
        name text primary key, applied_at timestamptz not null default now())`.execute(trx);
      const { rows } = await sql`
        insert into svc_db.seeds (name) values (${name}) on conflict do nothing returning name`.execute(
        trx,
      );
      if (rows.length > 0) await run(trx);
      return rows.length > 0;
    });
    if (isNew) done.push(name);
  }
  return done;
}
