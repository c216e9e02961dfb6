import { isUuid } from '@svc/core';
import type { Db } from '@svc/db';
import type { ExpressionBuilder } from 'kysely';
import { type ApiKeyRow, type AuthTables, tablesOf } from '../tables.ts';

/** A key as its owner sees it; the secret is shown once, where it is made. */
export interface ApiKey {
  readonly id: string;
  readonly name: string;
  /** The permissions it may use, as far as its owner has them. */
  readonly scopes: readonly string[];
  /** The one tenant in which it works; `null` for wherever its owner does. */
  readonly tenantId: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** What a key must be to be accepted. */
export const isAlive = (now: Date) => (eb: ExpressionBuilder<AuthTables, 'svc_auth.api_keys'>) =>
  eb.and([
    eb('revoked_at', 'is', null),
    eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]),
  ]);

/** Ends keys of a user or of a tenant, one or all, and answers whose they were. */
export async function revokeKeys(
  db: Db,
  which: { id?: string; userId?: string; tenantId: string } | { id: string; userId: string },
  now: Date,
): Promise<readonly Pick<ApiKeyRow, 'id' | 'user_id' | 'tenant_id'>[]> {
  const { id, userId, tenantId } = { tenantId: undefined, ...which };
  if ([id, userId, tenantId].some((each) => each !== undefined && !isUuid(each))) return [];
  return tablesOf(db)
    .updateTable('svc_auth.api_keys')
    .set({ revoked_at: now })
    .where('revoked_at', 'is', null)
    .$if(id !== undefined, (query) => query.where('id', '=', id as string))
    .$if(userId !== undefined, (query) => query.where('user_id', '=', userId as string))
    .$if(tenantId !== undefined, (query) => query.where('tenant_id', '=', tenantId as string))
    .returning(['id', 'user_id', 'tenant_id'])
    .execute();
}

export const findAlive = (
  db: Db,
  userId: string,
  id: string,
  { now, isLocked }: { now: Date; isLocked: boolean },
): Promise<ApiKeyRow | undefined> =>
  tablesOf(db)
    .selectFrom('svc_auth.api_keys')
    .selectAll()
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .where(isAlive(now))
    .$if(isLocked, (query) => query.forUpdate())
    .executeTakeFirst();

export async function endAfter(
  db: Db,
  row: ApiKeyRow,
  successor: string,
  end: Date,
): Promise<void> {
  const expiresAt = row.expires_at === null || row.expires_at > end ? end : row.expires_at;
  await tablesOf(db)
    .updateTable('svc_auth.api_keys')
    .set({ expires_at: expiresAt, rotated_to: successor })
    .where('id', '=', row.id)
    .execute();
}

export const toApiKey = (row: ApiKeyRow): ApiKey => ({
  id: row.id,
  name: row.name,
  scopes: row.scopes,
  tenantId: row.tenant_id,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});
