import type { TenantRow } from './tables.ts';

export interface Tenant {
  readonly id: string;
  readonly name: string;
  /** Grows by one with every change. */
  readonly version: number;
  readonly createdAt: Date;
  readonly suspendedAt: Date | null;
}

/** A tenant as one of its members sees it. */
export interface TenantOfMember<Role extends string = string> extends Tenant {
  readonly role: Role;
}

/** A tenant as those who run the service see it. */
export interface ManagedTenant extends Tenant {
  readonly suspendedReason: string | null;
  readonly deletionRequestedAt: Date | null;
}

export const toTenant = (
  row: Pick<TenantRow, 'id' | 'name' | 'version' | 'created_at' | 'suspended_at'>,
): Tenant => ({
  id: row.id,
  name: row.name,
  version: row.version,
  createdAt: row.created_at,
  suspendedAt: row.suspended_at,
});

export const toManaged = (row: TenantRow): ManagedTenant => ({
  ...toTenant(row),
  suspendedReason: row.suspended_reason,
  deletionRequestedAt: row.deletion_requested_at,
});
