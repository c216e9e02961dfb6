import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { Outcome, RateLimitStore } from '../store.ts';
import { tablesOf } from '../tables.ts';

export interface PostgresStore extends RateLimitStore {
  /** Removes the counts that say nothing any more; gives how many. To be called now and then, such as every minute. */
  purge(): Promise<number>;
}

/**
 * Counts in an unlogged table, by the database's clock, in one statement however many limits there are. Never give it
 * a transaction: it would hold the counts of others until its end. A crash of the server empties the table.
 */
export function postgresStore(db: Db): PostgresStore {
  return {
    isLocal: false,
    async consume(claims) {
      const parameter = JSON.stringify(
        claims.map(({ windowMs, ...claim }) => ({ ...claim, win: windowMs })),
      );
      const { rows } = await sql<{ outcomes: Outcome[] }>`
        select svc_ratelimit.consume(${parameter}::json) as outcomes`.execute(db);
      return rows[0]?.outcomes ?? [];
    },
    async purge() {
      const { numDeletedRows } = await tablesOf(db)
        .deleteFrom('svc_ratelimit.buckets')
        .where(sql<boolean>`expires_ms < floor(extract(epoch from clock_timestamp()) * 1000)`)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

export { postgresAbuseStore } from './postgres-abuse.ts';
