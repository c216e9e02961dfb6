import type { Db } from '@svc/db';
import type { ColumnType, Generated, Kysely } from 'kysely';
import type { DeletionReceipt } from './deletion/receipt.ts';

/** How much of a quota a tenant uses. */
export interface UsageRow {
  tenant_id: string;
  quota: string;
  used: bigint;
}

/** A step that the schema of a tenant has, where each tenant has a schema. */
export interface SchemaStepRow {
  schema: string;
  step: string;
  checksum: string;
  applied_at: Generated<Date>;
}

export interface TenantRow {
  id: string;
  name: string;
  /** Grows by one with every change. */
  version: number;
  created_at: Date;
  updated_at: Date;
  suspended_at: Date | null;
  /** For those who run the service. */
  suspended_reason: string | null;
  /** Since when it is frozen. */
  deletion_requested_at: Date | null;
}

export interface MembershipRow {
  tenant_id: string;
  user_id: string;
  role: string;
  created_at: Date;
}

export interface InvitationRow {
  id: string;
  tenant_id: string;
  email: string;
  email_normalized: string;
  role: string;
  /** SHA-256 of the token, which itself is only in the mail; `null` until that is sent. */
  token_hash: Uint8Array | null;
  invited_by: string;
  created_at: Date;
  expires_at: Date;
  accepted_at: Date | null;
  accepted_by: string | null;
  revoked_at: Date | null;
}

/** Which tenant a session or an API key works in. */
export interface SelectionRow {
  kind: 'session' | 'api_key';
  id: string;
  user_id: string;
  tenant_id: string;
  selected_at: Date;
}

/** That a tenant was to be deleted, and how far that is. The only thing that stays of a tenant. */
export interface DeletionRow {
  id: string;
  tenant_id: string;
  requested_at: Date;
  /** Not before. */
  due_at: Date;
  /** From here on it cannot be cancelled. */
  started_at: Date | null;
  revoked_at: Date | null;
  /** Rows deleted so far, by table. */
  deleted: ColumnType<Record<string, number>, string | undefined, string>;
  completed_at: Date | null;
  receipt: ColumnType<DeletionReceipt | null, never, string>;
  /** It was cancelled, or the tenant imported again. */
  reopened_at: Date | null;
}

export interface TenancyTables {
  'svc_tenancy.tenants': TenantRow;
  'svc_tenancy.memberships': MembershipRow;
  'svc_tenancy.invitations': InvitationRow;
  'svc_tenancy.selections': SelectionRow;
  'svc_tenancy.deletions': DeletionRow;
  'svc_tenancy.usage': UsageRow;
  'svc_tenancy.schema_steps': SchemaStepRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<TenancyTables> {
  return db;
}
