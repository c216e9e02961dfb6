import { isUuid } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import type { Selector } from './resolution.ts';
import { type MembershipRow, tablesOf, type TenantRow } from './tables.ts';
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
  return toMembership(row);
}

/** The same, and whoever would end it waits until the transaction is over. */
export async function membershipKept(
  trx: Trx,
  tenantId: string,
  userId: string,
): Promise<Membership | null> {
  if (!isUuid(tenantId) || !isUuid(userId)) return null;
  await tablesOf(trx)
    .selectFrom('svc_tenancy.memberships')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    // Holds up deleting, and no change of role.
    .forKeyShare()
    .execute();
  // A statement of its own: what was waited for is seen.
  return membershipOf(trx, tenantId, userId);
}

/** The tenant that was selected, with the user's membership in it: `null` where they are no member. `undefined` where none was selected. One statement. */
export async function membershipSelected(
  db: Db,
  { kind, id }: Selector,
  userId: string,
): Promise<{ tenantId: string; membership: Membership | null } | undefined> {
  const row = await tablesOf(db)
    .selectFrom('svc_tenancy.selections as s')
    .leftJoin('svc_tenancy.memberships as m', (join) =>
      join
        .onRef('m.tenant_id', '=', 's.tenant_id')
        .on('m.user_id', '=', isUuid(userId) ? userId : null),
    )
    .leftJoin('svc_tenancy.tenants as t', (join) =>
      join.onRef('t.id', '=', 'm.tenant_id').on('t.deletion_requested_at', 'is', null),
    )
    .select(['s.tenant_id', 't.id', 't.name', 't.version', 't.created_at', 't.suspended_at'])
    .select(['m.user_id', 'm.role', 'm.created_at as joined_at'])
    .where('s.kind', '=', kind)
    .where('s.id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  // Outer joins: all of it is there, or nothing.
  const membership = row.id === null ? null : toMembership(row as MembershipOfTenant);
  return { tenantId: row.tenant_id, membership };
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

type MembershipOfTenant = Pick<
  TenantRow,
  'id' | 'name' | 'version' | 'created_at' | 'suspended_at'
> &
  Pick<MembershipRow, 'user_id' | 'role'> & { joined_at: Date };

const toMembership = (row: MembershipOfTenant): Membership => ({
  tenantId: row.id,
  userId: row.user_id,
  role: row.role,
  joinedAt: row.joined_at,
  tenant: toTenant(row),
});

const joined = (db: Db) =>
  tablesOf(db)
    .selectFrom('svc_tenancy.memberships as m')
    .innerJoin('svc_tenancy.tenants as t', 't.id', 'm.tenant_id')
    .select(['t.id', 't.name', 't.version', 't.created_at', 't.suspended_at'])
    .select(['m.user_id', 'm.role', 'm.created_at as joined_at'])
    .where('t.deletion_requested_at', 'is', null);
