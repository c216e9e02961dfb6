import { isUuid } from '@svc/core';
import { transact } from '@svc/db';
import { type Actor, record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { ApiKeyNotFound } from '../failures.ts';
import { tablesOf } from '../tables.ts';
import { type ApiKey, isAlive, revokeKeys, toApiKey } from './queries.ts';

/** A key of a tenant, as those who administer the tenant see it. */
export interface TenantApiKey extends ApiKey {
  /** Whose it is. */
  readonly userId: string;
}

/** The keys of a tenant, for those who administer it. The caller has checked that they may; `actor` is for the audit log. */
export interface TenantApiKeys {
  /** Those that work, newest first, from below the id `before`. */
  list(
    tenantId: string,
    page: { limit: number; before?: string | undefined },
  ): Promise<readonly TenantApiKey[]>;
  /** Ends a key at once. @throws {ApiKeyNotFound} also for a key of another tenant, or of none */
  revoke(tenantId: string, id: string, actor: Actor, options?: WriteOptions): Promise<void>;
  /** Ends all keys of the tenant, or of one who leaves it, and answers how many. */
  revokeAll(
    tenantId: string,
    input: { userId?: string },
    actor: Actor,
    options?: WriteOptions,
  ): Promise<number>;
}

export function createTenantApiKeys(context: AuthContext): TenantApiKeys {
  const { db, clock } = context;
  const revoke = (
    which: Parameters<typeof revokeKeys>[1],
    actor: Actor,
    { within, origin }: WriteOptions = {},
  ) =>
    transact(within ?? db, async (trx) => {
      const ended = await revokeKeys(trx, which, clock.now());
      for (const { id, user_id: userId, tenant_id: tenantId } of ended) {
        const target = { type: 'api_key', id };
        const act = { type: 'auth.api_key.revoked', userId, tenantId, actor, target } as const;
        await record(context, trx, act, origin);
      }
      return ended.length;
    });
  return {
    async list(tenantId, { limit, before }) {
      if (!isUuid(tenantId) || (before !== undefined && !isUuid(before))) return [];
      const rows = await tablesOf(db)
        .selectFrom('svc_auth.api_keys')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where(isAlive(clock.now()))
        .$if(before !== undefined, (query) => query.where('id', '<', before as string))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map((row) => ({ ...toApiKey(row), userId: row.user_id }));
    },
    async revoke(tenantId, id, actor, options) {
      if ((await revoke({ tenantId, id }, actor, options)) === 0) throw new ApiKeyNotFound();
    },
    revokeAll: (tenantId, { userId }, actor, options) =>
      revoke({ tenantId, ...(userId !== undefined && { userId }) }, actor, options),
  };
}
