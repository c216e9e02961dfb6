import type { Db, Trx } from '@svc/db';
import type { Selectable } from 'kysely';
import { type DeletionRow, tablesOf } from '../tables.ts';

export type Deletion = Selectable<DeletionRow>;

/** The deletion that a tenant stands under, or which it had. */
const current = (db: Db, tenantId: string) =>
  tablesOf(db)
    .selectFrom('svc_tenancy.deletions')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('reopened_at', 'is', null);

export const findDeletion = (db: Db, tenantId: string): Promise<Deletion | undefined> =>
  current(db, tenantId).executeTakeFirst();

/** The same; until the transaction ends nobody else goes on with it, or cancels it. */
export const lockDeletion = (trx: Trx, tenantId: string): Promise<Deletion | undefined> =>
  current(trx, tenantId).forUpdate().executeTakeFirst();

/** Tenants whose deletion is due and not complete, the longest due first. */
export async function dueDeletions(db: Db, now: Date, limit: number): Promise<readonly string[]> {
  const rows = await tablesOf(db)
    .selectFrom('svc_tenancy.deletions')
    .select('tenant_id')
    .where('due_at', '<=', now)
    .where('completed_at', 'is', null)
    .where('reopened_at', 'is', null)
    .orderBy('due_at')
    .limit(limit)
    .execute();
  return rows.map((row) => row.tenant_id);
}

export async function insertDeletion(
  trx: Trx,
  row: Pick<Deletion, 'id' | 'tenant_id' | 'requested_at' | 'due_at'>,
): Promise<void> {
  await tablesOf(trx).insertInto('svc_tenancy.deletions').values(row).execute();
}

export async function changeDeletion(
  trx: Trx,
  { id }: Pick<Deletion, 'id'>,
  set: Partial<Pick<Deletion, 'started_at' | 'revoked_at' | 'completed_at' | 'reopened_at'>> & {
    deleted?: string;
    receipt?: string;
  },
): Promise<void> {
  await tablesOf(trx).updateTable('svc_tenancy.deletions').set(set).where('id', '=', id).execute();
}
