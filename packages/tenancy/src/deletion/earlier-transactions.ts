import type { Db } from '@svc/db';
import { sql } from 'kysely';
import { DeletionHeldUp } from '../failures.ts';

const pollMs = 50;

/**
 * Waits until every transaction of this database that is open now has ended. One that began before its tenant was frozen
 * may still write rows of it; one that begins later is refused (`withTenant`). Each transaction, also one that has not
 * written yet, holds a lock on its virtual id from its begin to its end; those of maintenance have no user.
 *
 * @throws {DeletionHeldUp} when one is open for longer than `waitMs`.
 */
export async function earlierTransactionsEnded(db: Db, waitMs: number): Promise<void> {
  let open = await openTransactions(db);
  for (let waited = 0; open.length > 0; waited += pollMs) {
    if (waited >= waitMs) throw new DeletionHeldUp({ retryAfterSeconds: 60 });
    await sql`select pg_sleep(${sql.lit(pollMs / 1000)})`.execute(db);
    const now = new Set(await openTransactions(db));
    open = open.filter((each) => now.has(each));
  }
}

async function openTransactions(db: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    select l.virtualxid as id from pg_catalog.pg_locks l
    join pg_catalog.pg_stat_activity a on a.pid = l.pid
    where l.locktype = 'virtualxid' and l.granted and a.datname = current_database()
      and a.usesysid is not null and l.pid <> pg_backend_pid()`.execute(db);
  return rows.map(({ id }) => id);
}
