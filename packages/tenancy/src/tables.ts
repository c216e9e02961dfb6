import type { Db } from '@svc/db';
import type { Generated, Kysely } from 'kysely';

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

export interface TenancyTables {
  'svc_tenancy.usage': UsageRow;
  'svc_tenancy.schema_steps': SchemaStepRow;
}

/** The one place where the boundary's untyped database gets this package's tables. */
export function tablesOf(db: Db): Kysely<TenancyTables> {
  return db;
}
