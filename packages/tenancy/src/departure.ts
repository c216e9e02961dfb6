import { isUuid } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { type Actor, record } from './acts.ts';
import type { TenancyContext, WriteOptions } from './context.ts';
import { endInvitationsBeyond, expel } from './members.ts';
import { lockTenant, roleOf } from './standing.ts';
import { tablesOf } from './tables.ts';
import { requestDeletion } from './tenants.ts';

/** Takes a user out of every tenant. */
export function removeFromAll(
  context: TenancyContext,
  userId: string,
  actor: Actor,
  options: WriteOptions,
): Promise<void> {
  return transact(options.within ?? context.db, async (trx) => {
    if (!isUuid(userId)) return;
    const memberships = await tablesOf(trx)
      .selectFrom('svc_tenancy.memberships')
      .select('tenant_id')
      .where('user_id', '=', userId)
      // In one order, so that two who are deleted at once do not wait for each other.
      .orderBy('tenant_id')
      .execute();
    for (const { tenant_id: tenantId } of memberships) {
      const acts = await departFrom(context, trx, tenantId, userId);
      for (const type of acts) {
        const target = { type: 'user', id: userId };
        const whom = type === 'tenancy.member.removed' ? { target } : {};
        await record(context, trx, { type, tenantId, actor, ...whom }, options);
      }
    }
    await tablesOf(trx)
      .deleteFrom('svc_tenancy.selections')
      .where('user_id', '=', userId)
      .execute();
  });
}

async function departFrom(context: TenancyContext, trx: Trx, tenantId: string, userId: string) {
  const tenant = await lockTenant(trx, tenantId);
  const role = await roleOf(trx, tenantId, userId);
  // They left while the tenant was waited for.
  if (role === undefined) return [];
  const isAlone = !(await hasOthers(trx, tenantId, userId));
  if (tenant !== undefined && !isAlone) {
    await expel(context, trx, tenantId, { userId, role });
    return ['tenancy.member.removed'] as const;
  }
  await endInvitationsBeyond(context, trx, tenantId, { userId, role: null });
  await tablesOf(trx)
    .deleteFrom('svc_tenancy.memberships')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '=', userId)
    .execute();
  await context.onMemberRemoved?.(tenantId, userId, { within: trx });
  // One that is being deleted already has no act of its own.
  if (tenant === undefined) return ['tenancy.member.removed'] as const;
  await requestDeletion(context, trx, tenantId);
  return ['tenancy.member.removed', 'tenancy.tenant.deletion_requested'] as const;
}

async function hasOthers(trx: Trx, tenantId: string, userId: string): Promise<boolean> {
  const other = await tablesOf(trx)
    .selectFrom('svc_tenancy.memberships')
    .select('user_id')
    .where('tenant_id', '=', tenantId)
    .where('user_id', '!=', userId)
    .limit(1)
    .executeTakeFirst();
  return other !== undefined;
}
