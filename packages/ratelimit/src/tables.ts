import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

/** The counts of one key; functions of the schema write it. */
export interface BucketRow {
  /** A hash. */
  key: string;
  level: bigint;
  at_ms: bigint;
  moments: bigint[];
  counts: bigint[];
  /** From then on the row says nothing. */
  expires_ms: bigint;
}

/** The score of one caller. */
export interface CallerRow {
  caller: string;
  score: number;
  scored_at: Date;
  /** When the score has decayed to nothing worth keeping. */
  expires_at: Date;
  blocked_until: Date | null;
}

export interface RateLimitTables {
  'svc_ratelimit.buckets': BucketRow;
  'svc_ratelimit.callers': CallerRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<RateLimitTables> {
  return db;
}
