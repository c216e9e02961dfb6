import { isFailure, isUuid } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { actorOf, record, recordAlone, type TenancyAct } from './acts.ts';
import type { ActOptions, TenancyContext } from './context.ts';
import { RoleRequired, TenantNotFound, TenantSuspended } from './failures.ts';
import { tablesOf, type TenantRow } from './tables.ts';

/** A member, in the transaction of what they do. */
export interface Standing {
  readonly trx: Trx;
  readonly tenant: TenantRow;
  /** The role of who acts. */
  readonly role: string;
  /** Records the act as theirs, in the same transaction. */
  record(act: Omit<TenancyAct, 'tenantId' | 'actor'>): Promise<void>;
}

interface Demand {
  /** What it is called where it is refused. */
  readonly act: string;
  /** The least role that may do it. */
  readonly role: string;
  /** @default false */
  readonly whileSuspended?: boolean;
}

/**
 * Runs an act of a member. Acts on one tenant come one after the other, so that what each reads (the other owners, its
 * own role) stays true until it has written. A denial is audited.
 *
 * @throws {TenantNotFound} also for who is no member.
 * @throws {TenantSuspended}
 * @throws {RoleRequired}
 */
export async function asMember<T>(
  context: TenancyContext,
  tenantId: string,
  options: ActOptions,
  demand: Demand,
  work: (standing: Standing) => Promise<T>,
): Promise<T> {
  const { by, within } = options;
  if (!isUuid(tenantId) || !isUuid(by)) throw new TenantNotFound();
  const whose = { tenantId: tenantId.toLowerCase(), actor: actorOf(by, options) };
  try {
    return await transact(within ?? context.db, async (trx) => {
      const tenant = await lockTenant(trx, tenantId);
      const role = await roleOf(trx, tenantId, by);
      if (tenant === undefined || role === undefined) throw new TenantNotFound();
      if (tenant.suspended_at !== null && demand.whileSuspended !== true)
        throw new TenantSuspended();
      if (!context.ladder.reaches(role, demand.role)) throw new RoleRequired();
      const recordOwn: Standing['record'] = (act) =>
        record(context, trx, { ...act, ...whose }, options);
      return work({ trx, tenant, role, record: recordOwn });
    });
  } catch (error) {
    if (isFailure(error, RoleRequired)) {
      const details = { act: demand.act };
      const denied = { type: 'tenancy.access.denied', outcome: 'denied', details } as const;
      await recordAlone(context, { ...denied, ...whose }, options);
    }
    throw error;
  }
}

/** The tenant, unless it is being deleted. Weak enough to let others refer to it. */
export function lockTenant(trx: Trx, tenantId: string): Promise<TenantRow | undefined> {
  return tablesOf(trx)
    .selectFrom('svc_tenancy.tenants')
    .selectAll()
    .where('id', '=', tenantId)
    .where('deletion_requested_at', 'is', null)
    .forNoKeyUpdate()
    .executeTakeFirst();
}

export async function roleOf(
  trx: Trx,
  tenantId: string,
  userId: string,
): Promise<string | undefined> {
  const row = await tablesOf(trx)
    .selectFrom('svc_tenancy.memberships')
    .select('role')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  return row?.role;
}
