import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';

/** An event that waits to be sealed. */
export interface PendingRow {
  tenant_id: string;
  id: string;
  at_ms: number | bigint;
  /** Canonical JSON. */
  event: string;
  /** JSON of the disclosures by name; null once erased, or where there are none. */
  personal: string | null;
}

/** A sealed event. */
export interface EntryRow {
  /** The canonical JSON that is hashed; the columns after `hash` repeat parts of it, to be searched. */
  body: string;
  /** Its leaf hash, hexadecimal. */
  hash: string;
  tenant_id: string;
  seq: bigint;
  id: string;
  at: Date;
  type: string;
  outcome: string;
  actor_type: string;
  actor_id: string | null;
  target_type: string | null;
  target_id: string | null;
}

/** Personal values of an entry, until they are erased. */
export interface PersonalRow {
  entry_id: string;
  tenant_id: string;
  /** Salt and value by name. */
  fields: unknown;
}

/** The end of a chain, and where it begins since the last purge. */
export interface ChainRow {
  tenant_id: string;
  size: bigint;
  /** The hash of the last entry. */
  head: string;
  /** The Merkle frontier: hashes of 64 hexadecimal characters, one after the other. */
  frontier: string;
  sealed_at: Date | null;
  /** The signed checkpoint of this size. */
  note: string | null;
  checkpoint_at: Date | null;
  purged_size: bigint;
  purged_frontier: string | null;
  purged_note: string | null;
}

/** A checkpoint that stays, to be handed to those who keep it elsewhere. */
export interface CheckpointRow {
  tenant_id: string;
  size: bigint;
  note: string;
  created_at: Date;
  anchor_tried_at: Date | null;
  anchored_at: Date | null;
}

export interface AuditTables {
  'svc_audit.pending': PendingRow;
  'svc_audit.entries': EntryRow;
  'svc_audit.personal': PersonalRow;
  'svc_audit.chains': ChainRow;
  'svc_audit.checkpoints': CheckpointRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<AuditTables> {
  return db;
}
