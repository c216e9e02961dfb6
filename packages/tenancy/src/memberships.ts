import { isUuid } from '@svc/core';
import type { Db } from '@svc/db';
import { tablesOf } from './tables.ts';
import { type Tenant, type TenantOfMember, toTenant } from './tenant.ts';

/** That somebody belongs to a tenant, and as what. */
export interface Membership<Role extends string = string> {
  readonly tenantId: string;
  readonly userId: string;
  readonly role: Role;
  readonly joinedAt: Date;
  readonly tenant: Tenant;
}

const listLimit = 1000;

/** One statement, by the key: every request asks it. A tenant that is being deleted has no members. */
export async function membershipOf(
  db: Db,
  tenantId: string,
  userId: string,
): Promise<Membership | null> {
  if (!isUuid(tenantId) || !isUuid(userId)) return null;
  const row = await joined(db)
    .where('m.tenant_id', '=', tenantId)
    .where('m.user_id', '=', userId)
    .executeTakeFirst();
  if (row === undefined) return null;
  const { role, joined_at: joinedAt } = row;
  return { tenantId: row.id, userId: row.user_id, role, joinedAt, tenant: toTenant(row) };
}

export async function membershipsOf(db: Db, userId: string): Promise<readonly TenantOfMember[]> {
  if (!isUuid(userId)) return [];
  const rows = await joined(db)
    .where('m.user_id', '=', userId)
    .orderBy('t.name')
    .orderBy('t.id')
    .limit(listLimit)
    .execute();
  return rows.map((row) => ({ ...toTenant(row), role: row.role }));
}

const joined = (db: Db) =>
  tablesOf(db)
    .selectFrom('svc_tenancy.memberships as m')
    .innerJoin('svc_tenancy.tenants as t', 't.id', 'm.tenant_id')
    .select(['t.id', 't.name', 't.created_at', 't.suspended_at'])
    .select(['m.user_id', 'm.role', 'm.created_at as joined_at'])
    .where('t.deletion_requested_at', 'is', null);
