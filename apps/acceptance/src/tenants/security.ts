import { type Clock, systemClock } from '@svc/core';
import { afterCommit, type Db, type Trx } from '@svc/db';
import { withTenant } from '@svc/tenancy';
import type { Kysely } from 'kysely';
import { remembered } from './remembered.ts';

interface SecurityTables {
  'app.tenant_security': { tenant_id: string; requires_mfa: boolean; changed_at: Date };
}

/** What a tenant demands of its members. */
export interface SecurityRules {
  /** Nobody works in it who has not shown a second factor. */
  readonly requiresMfa: boolean;
}

/** An entry about that, for the audit log. */
export interface SecurityChange {
  readonly type: 'tenants.security_changed';
  readonly tenantId: string;
  readonly actor: { readonly type: 'user' | 'api_key' | 'system'; readonly id: string | null };
  readonly requestId: string | null;
  readonly details: { readonly requiresMfa: boolean };
}

export interface TenantSecurity {
  of(tenantId: string): Promise<SecurityRules>;
  /** At most a second old. */
  requiresMfa(tenantId: string): Promise<boolean>;
  /** The caller has checked that the actor may. */
  set(
    tenantId: string,
    rules: SecurityRules,
    by: Pick<SecurityChange, 'actor' | 'requestId'>,
  ): Promise<SecurityRules>;
}

export interface TenantSecurityOptions {
  /** One that knows the tables of tenants. */
  db: Db;
  /** Appends to the audit log in the transaction of the change. */
  audit: (entry: SecurityChange, options: { within: Trx }) => Promise<void>;
  /** @default systemClock */
  clock?: Clock;
}

export function createTenantSecurity({
  db,
  audit,
  clock = systemClock,
}: TenantSecurityOptions): TenantSecurity {
  const read = (tenantId: string) =>
    withTenant(
      db,
      tenantId,
      async (trx) => {
        const row = await tablesOf(trx)
          .selectFrom('app.tenant_security')
          .select('requires_mfa')
          .executeTakeFirst();
        return { requiresMfa: row?.requires_mfa ?? false };
      },
      { readOnly: true },
    );
  const lately = remembered(read, clock);
  return {
    of: read,
    requiresMfa: async (tenantId) => (await lately.of(tenantId)).requiresMfa,
    set: (tenantId, { requiresMfa }, by) =>
      withTenant(db, tenantId, async (trx) => {
        const row = { requires_mfa: requiresMfa, changed_at: clock.now() };
        await tablesOf(trx)
          .insertInto('app.tenant_security')
          .values({ ...row, tenant_id: tenantId })
          .onConflict((conflict) => conflict.column('tenant_id').doUpdateSet(row))
          .execute();
        const details = { requiresMfa };
        const entry = { type: 'tenants.security_changed', tenantId, ...by, details } as const;
        await audit(entry, { within: trx });
        afterCommit(trx, () => lately.forget(tenantId));
        return { requiresMfa };
      }),
  };
}

// The one place where the untyped transaction gets the table.
const tablesOf = (db: Db): Kysely<SecurityTables> => db;
