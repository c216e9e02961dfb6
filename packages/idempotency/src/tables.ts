import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

/** A key and what became of it. */
export interface KeyRow {
  /** A hash of scope and key. */
  key: string;
  /** A hash of what the request says. */
  fingerprint: string;
  /** Of the execution that has the key. */
  token: string;
  /** `running`, `done`, or why the answer is withheld. */
  state: string;
  lease_until: Date;
  expires_at: Date;
  status: number | null;
  /** JSON: a list of name and value. */
  headers: string | null;
  body: Uint8Array | null;
}

export interface IdempotencyTables {
  'svc_idempotency.keys': KeyRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<IdempotencyTables> {
  return db;
}
