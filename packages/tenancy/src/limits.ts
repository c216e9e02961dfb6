import type { Db, Trx } from '@svc/db';
import { sql } from 'kysely';
import { quotaExceeded } from './events.ts';
import { QuotaExceeded } from './failures.ts';
import { inTenant } from './isolation/with-tenant.ts';
import { tablesOf } from './tables.ts';

/** What a tenant may have, and has. */
export interface TenantLimit {
  /** Infinity where there is none. */
  readonly limit: number;
  readonly used: number;
  /** Never below 0, though a smaller plan may have come after. */
  readonly remaining: number;
}

/** The quotas of tenants: how many projects, seats, bytes their plan allows. Exact, however many ask at once. */
export interface TenantLimits {
  /** @throws {TypeError} when there is no such quota. */
  get(tenantId: string, quota: string): Promise<TenantLimit>;
  /** Takes `count` of a quota, in the transaction that makes them: a rollback gives them back. Whoever asks next waits until it ends. @throws {QuotaExceeded} @throws {TypeError} when there is no such quota */
  reserve(trx: Trx, tenantId: string, quota: string, count?: number): Promise<void>;
  /** Gives some back, in the transaction that removes them. */
  release(trx: Trx, tenantId: string, quota: string, count?: number): Promise<void>;
  /** Sets what is used, after counting. */
  set(trx: Trx, tenantId: string, quota: string, used: number): Promise<void>;
}

export interface TenantLimitsOptions {
  db: Db;
  /** The quotas of a tenant, from its plan: `{ projects: 10, seats: Infinity }`. Read in the caller's transaction where there is one. */
  limitsOf: (
    tenantId: string,
    options: { within?: Trx },
  ) => Promise<Readonly<Record<string, number>>>;
  /** What events call this instance. @default 'tenancy' */
  name?: string;
}

export function createTenantLimits({
  db,
  limitsOf,
  name = 'tenancy',
}: TenantLimitsOptions): TenantLimits {
  const limitOf = async (tenantId: string, quota: string, within?: Trx) => {
    const limits = await limitsOf(tenantId, within === undefined ? {} : { within });
    const limit = Object.hasOwn(limits, quota) ? limits[quota] : undefined;
    // Not "no limit": a slip in a name would be a plan without limits.
    if (limit === undefined || !(limit >= 0)) throw new TypeError(`there is no quota ${quota}`);
    return Math.floor(limit);
  };

  return {
    async get(tenantId, quota) {
      const limit = await limitOf(tenantId, quota);
      const used = await inTenant(db, tenantId, (trx) => readUsed(trx, tenantId, quota));
      return { limit, used, remaining: Math.max(limit - used, 0) };
    },
    async reserve(trx, tenantId, quota, count = 1) {
      assertCount(count);
      const limit = await limitOf(tenantId, quota, trx);
      const taken =
        count <= limit &&
        (await inTenant(trx, tenantId, (inner) => take(inner, { tenantId, quota, count, limit })));
      if (taken) return;
      quotaExceeded.publish(name, { tenantId, quota });
      throw new QuotaExceeded({ quota, limit });
    },
    async release(trx, tenantId, quota, count = 1) {
      assertCount(count);
      await inTenant(trx, tenantId, (inner) =>
        tablesOf(inner)
          .updateTable('svc_tenancy.usage')
          .set({ used: sql`greatest(used - ${count}, 0)` })
          .where('tenant_id', '=', tenantId)
          .where('quota', '=', quota)
          .execute(),
      );
    },
    async set(trx, tenantId, quota, used) {
      assertCount(used);
      await inTenant(trx, tenantId, (inner) =>
        tablesOf(inner)
          .insertInto('svc_tenancy.usage')
          .values({ tenant_id: tenantId, quota, used: BigInt(used) })
          .onConflict((oc) =>
            oc.columns(['tenant_id', 'quota']).doUpdateSet({ used: BigInt(used) }),
          )
          .execute(),
      );
    },
  };
}

interface Take {
  readonly tenantId: string;
  readonly quota: string;
  readonly count: number;
  readonly limit: number;
}

// One statement that checks as it adds: of two that want the last one, the second waits for the row and then sees it.
async function take(trx: Trx, { tenantId, quota, count, limit }: Take): Promise<boolean> {
  const rows = await tablesOf(trx)
    .insertInto('svc_tenancy.usage')
    .values({ tenant_id: tenantId, quota, used: BigInt(count) })
    .onConflict((oc) =>
      oc
        .columns(['tenant_id', 'quota'])
        .doUpdateSet({ used: sql`usage.used + excluded.used` })
        .where(
          sql`usage.used + excluded.used`,
          '<=',
          limit === Infinity ? maxBigint : BigInt(limit),
        ),
    )
    .returning('used')
    .execute();
  return rows.length > 0;
}

const maxBigint = 2n ** 63n - 1n;

async function readUsed(trx: Trx, tenantId: string, quota: string): Promise<number> {
  const row = await tablesOf(trx)
    .selectFrom('svc_tenancy.usage')
    .select('used')
    .where('tenant_id', '=', tenantId)
    .where('quota', '=', quota)
    .executeTakeFirst();
  return Number(row?.used ?? 0);
}

function assertCount(count: number): void {
  if (!Number.isSafeInteger(count) || count < 0)
    throw new TypeError('a count is a whole number, 0 or more');
}
