import { transact } from '@svc/db';
import { actorOf, record } from './acts.ts';
import type { TenancyContext, WriteOptions } from './context.ts';
import { TenantMismatch, TenantNotFound, TenantSuspended } from './failures.ts';
import { type Membership, membershipOf, membershipSelected } from './memberships.ts';
import { tablesOf } from './tables.ts';

/** What an identity is known by, which has a tenant of its own: two sessions of a person may work in two tenants. */
export interface Selector {
  readonly kind: 'session' | 'api_key';
  readonly id: string;
}

/** Which tenants a request may be for, the first that is given wins; a header beside a selection says the same, or is refused. None of them grants anything. */
export interface TenantClaims {
  readonly override?: string | null | undefined;
  readonly selector?: Selector | null | undefined;
  readonly header?: string | null | undefined;
  readonly variable?: string | null | undefined;
}

export interface Resolution<Role extends string = string> {
  /** The user's own membership in the tenant that a request is for, checked now; `null` where nothing names one. @throws {TenantMismatch} @throws {TenantNotFound} also for who is no member @throws {TenantSuspended} */
  resolve(userId: string, claims: TenantClaims): Promise<Membership<Role> | null>;
  /** Makes a tenant the one that an identity works in. @throws {TenantNotFound} also for who is no member @throws {TenantSuspended} */
  select(
    selector: Selector,
    tenantId: string,
    userId: string,
    options?: WriteOptions,
  ): Promise<Membership<Role>>;
  /** The tenant that was selected. It grants nothing: the membership may be over. */
  selectedBy(selector: Selector): Promise<string | null>;
}

// The same for all, so that no answer tells an unknown tenant from one of others.
export const tenantNeeded = () =>
  new TenantNotFound({
    detail:
      'This is done in a tenant of which you are a member: select one, or name it in X-Tenant-Id. Who has none creates one, or is invited.',
  });

/** Whether something is said, and says another tenant. */
export const isOther = (said: string | null | undefined, tenantId: string): boolean =>
  typeof said === 'string' && said.toLowerCase() !== tenantId.toLowerCase();

export function createResolution(context: TenancyContext): Resolution {
  const { db, clock } = context;
  return {
    async selectedBy({ kind, id }) {
      const row = await tablesOf(db)
        .selectFrom('svc_tenancy.selections')
        .select('tenant_id')
        .where('kind', '=', kind)
        .where('id', '=', id)
        .executeTakeFirst();
      return row?.tenant_id ?? null;
    },
    async resolve(userId, { override = null, selector = null, header = null, variable }) {
      if (override !== null) return demandActive(await membershipOf(db, override, userId));
      if (selector !== null) {
        const selected = await membershipSelected(db, selector, userId);
        if (selected !== undefined) {
          // Before the membership, so that a tenant of others is refused as one that does not exist.
          if (isOther(header, selected.tenantId)) throw new TenantMismatch();
          return demandActive(selected.membership);
        }
      }
      const claimed = header ?? variable ?? null;
      return claimed === null ? null : demandActive(await membershipOf(db, claimed, userId));
    },
    select: (selector, tenantId, userId, options = {}) =>
      transact(options.within ?? db, async (trx) => {
        const membership = demandActive(await membershipOf(trx, tenantId, userId));
        const { kind, id } = selector;
        const values = {
          user_id: userId,
          tenant_id: membership.tenantId,
          selected_at: clock.now(),
        };
        await tablesOf(trx)
          .insertInto('svc_tenancy.selections')
          .values({ kind, id, ...values })
          .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet(values))
          .execute();
        const actor = actorOf(userId, options);
        const act = { type: 'tenancy.tenant.selected', tenantId: membership.tenantId } as const;
        await record(context, trx, { ...act, actor, details: { kind } }, options);
        return membership;
      }),
  };
}

function demandActive(membership: Membership | null): Membership {
  if (membership === null) throw tenantNeeded();
  if (membership.tenant.suspendedAt !== null) throw new TenantSuspended();
  return membership;
}
