import { type Clock, systemClock } from '@svc/core';
import { afterCommit, type Db, type Trx } from '@svc/db';
import { withTenant } from '@svc/tenancy';
import type { Kysely } from 'kysely';
import { remembered } from '../tenants/remembered.ts';

export const planNames = ['free', 'pro'] as const;
export type Plan = (typeof planNames)[number];

interface PlanTables {
  'app.tenant_plans': { tenant_id: string; plan: string; changed_at: Date };
}

/** An entry about a plan, for the audit log. */
export interface PlanChange {
  readonly type: 'plans.changed';
  readonly tenantId: string;
  readonly actor: { readonly type: 'user'; readonly id: string };
  readonly requestId: string | null;
  readonly details: { readonly plan: Plan; readonly former: Plan };
}

/** Which plan a tenant has, and what it brings. */
export interface Plans {
  /** The quotas of a tenant. In a transaction of that tenant, where one is given. */
  quotasOf(tenantId: string, options?: { within?: Trx }): Promise<Readonly<Record<string, number>>>;
  of(tenantId: string): Promise<Plan>;
  /** At most a second old: what each request is counted by. */
  lately(tenantId: string): Promise<Plan>;
  /** In force for the next request here, and within a second elsewhere; what a tenant has beyond a smaller plan it keeps. The caller has checked that the actor may. */
  set(
    tenantId: string,
    plan: Plan,
    by: Pick<PlanChange, 'actor' | 'requestId'>,
    options: { within: Trx },
  ): Promise<void>;
}

export interface PlansOptions {
  /** One that knows the tables of tenants. */
  db: Db;
  /** How many projects each brings. */
  projects: Readonly<Record<Plan, number>>;
  /** Appends to the audit log in the transaction of the change. */
  audit: (entry: PlanChange, options: { within: Trx }) => Promise<void>;
  /** @default systemClock */
  clock?: Clock;
}

export function createPlans({ db, projects, audit, clock = systemClock }: PlansOptions): Plans {
  const read = async (trx: Trx): Promise<Plan> => {
    const row = await tablesOf(trx)
      .selectFrom('app.tenant_plans')
      .select('plan')
      .executeTakeFirst();
    // One that is no longer sold counts as the least.
    return planNames.find((name) => name === row?.plan) ?? 'free';
  };
  const of = (tenantId: string, within?: Trx) =>
    within === undefined ? withTenant(db, tenantId, read, { readOnly: true }) : read(within);
  const known = remembered((tenantId) => of(tenantId), clock);
  return {
    of: (tenantId) => of(tenantId),
    lately: known.of,
    quotasOf: async (tenantId, { within } = {}) => ({
      projects: projects[await of(tenantId, within)],
    }),
    set: (tenantId, plan, by, { within }) =>
      withTenant(within, tenantId, async (trx) => {
        const former = await read(trx);
        const row = { plan, changed_at: clock.now() };
        await tablesOf(trx)
          .insertInto('app.tenant_plans')
          .values({ ...row, tenant_id: tenantId })
          .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(row))
          .execute();
        const details = { plan, former };
        await audit({ type: 'plans.changed', tenantId, ...by, details }, { within: trx });
        afterCommit(trx, () => known.forget(tenantId));
      }),
  };
}

// The one place where the untyped transaction gets the table.
const tablesOf = (db: Db): Kysely<PlanTables> => db;
