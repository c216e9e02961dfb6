import type { Clock } from '@svc/core';
import { sql } from 'kysely';
import type { Db, Trx } from './connection.ts';
import { transact } from './transact.ts';

export interface OwnerOptions {
  /** Milliseconds to wait for other migrations, and for each table lock. @default 60000 */
  lockTimeoutMs?: number;
  /** @default the connection's */
  clock?: Clock;
}

// "svcdb" in ASCII: one lock for all packages, since steps may refer to each other's tables.
const lockId = 0x73_76_63_64_62;

/**
 * Runs `fn` as the user who logged in (on PGlite the superuser, whatever role the connection has), alone among all
 * processes that do the same. The lock ends with the transaction, so a crash leaves none behind.
 */
export async function asOwner<T>(
  db: Db,
  { lockTimeoutMs = 60_000, clock }: OwnerOptions,
  fn: (trx: Trx) => Promise<T>,
): Promise<T> {
  if (db.isTransaction)
    throw new TypeError(
      'this opens transactions of its own: give it the database, not a transaction',
    );
  return transact(
    db,
    async (trx) => {
      await sql`set local role none`.execute(trx);
      await sql`select set_config('lock_timeout', ${`${lockTimeoutMs}ms`}, true)`.execute(trx);
      await sql`select pg_advisory_xact_lock(${lockId})`.execute(trx);
      return fn(trx);
    },
    clock === undefined ? { isolation: 'read committed' } : { isolation: 'read committed', clock },
  );
}
