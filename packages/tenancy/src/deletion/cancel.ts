import { isUuid } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { actorOf, record, recordAlone, type TenancyAct } from '../acts.ts';
import type { ActOptions, TenancyContext, WriteOptions } from '../context.ts';
import { DeletionBegun, RoleRequired, TenantNotFound, TenantSuspended } from '../failures.ts';
import { roleOf } from '../standing.ts';
import { tablesOf, type TenantRow } from '../tables.ts';
import { changeDeletion, lockDeletion } from './deletions.ts';

/** As `asMember`, for the one act that a frozen tenant knows. */
export async function cancelByOwner(
  context: TenancyContext,
  tenantId: string,
  options: ActOptions,
): Promise<void> {
  const { by } = options;
  if (!isUuid(tenantId) || !isUuid(by)) throw new TenantNotFound();
  const whose = { tenantId: tenantId.toLowerCase(), actor: actorOf(by, options) };
  let isDenied = false;
  try {
    await transact(options.within ?? context.db, async (trx) => {
      const role = await roleOf(trx, tenantId, by);
      if (role === undefined) throw new TenantNotFound();
      isDenied = !context.ladder.reaches(role, 'owner');
      if (isDenied) throw new RoleRequired();
      const tenant = await unfreeze(context, trx, whose, options);
      if (tenant.suspended_at !== null) throw new TenantSuspended();
    });
  } catch (error) {
    if (isDenied) {
      const details = { act: 'cancel_removal' };
      const denied = { type: 'tenancy.access.denied', outcome: 'denied', details } as const;
      await recordAlone(context, { ...denied, ...whose }, options);
    }
    throw error;
  }
}

/** Lets a frozen tenant be as it was. The deletion waits for the same lock, and begins under it. */
export async function unfreeze(
  context: TenancyContext,
  trx: Trx,
  whose: Pick<TenancyAct, 'tenantId' | 'actor'>,
  options: WriteOptions,
): Promise<TenantRow> {
  const { clock } = context;
  const deletion = await lockDeletion(trx, whose.tenantId);
  if (deletion === undefined || deletion.completed_at !== null) throw new TenantNotFound();
  if (deletion.started_at !== null) throw new DeletionBegun();
  const now = clock.now();
  await changeDeletion(trx, deletion, { reopened_at: now });
  const row = await tablesOf(trx)
    .updateTable('svc_tenancy.tenants')
    .set((eb) => ({
      deletion_requested_at: null,
      updated_at: now,
      version: eb('version', '+', 1),
    }))
    .where('id', '=', whose.tenantId)
    .returningAll()
    .executeTakeFirst();
  if (row === undefined) throw new TenantNotFound();
  await record(context, trx, { type: 'tenancy.tenant.deletion_cancelled', ...whose }, options);
  return row;
}
