import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

export interface SigningKeyRow {
  /** The `kid` of its tokens. */
  id: string;
  issuer: string;
  /** 1, 2, 3, …; a key is the active one until that of the next generation activates. */
  generation: number;
  /** The private JWK, sealed. There is no column for the public one, which is derived from it: who can only write here cannot plant a key. */
  private_key: string;
  created_at: Date;
  activates_at: Date;
}

export interface TokenTables {
  'svc_auth.signing_keys': SigningKeyRow;
}

/** The boundary's untyped database with the tables of tokens. */
export function tablesOf(db: Db): Kysely<TokenTables> {
  return db;
}
