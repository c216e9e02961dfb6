import { transact, type Trx } from '@svc/db';
import type { WebhooksContext } from './context.ts';
import { tablesOf } from './tables.ts';

/** Turns off every endpoint of a tenant and cancels what waits for one; a try that is under way ends as it does. */
export async function stopTenant(
  { db, clock }: WebhooksContext,
  tenantId: string,
  within: Trx | undefined,
): Promise<void> {
  const now = clock.now();
  await transact(within ?? db, async (trx) => {
    // Endpoints first, as everywhere: who would let a delivery wait, or go on, holds the endpoint's row.
    await tablesOf(trx)
      .updateTable('svc_webhooks.endpoints')
      .set({ status: 'disabled', probe_delivery_id: null, updated_at: now })
      .where('tenant_id', '=', tenantId)
      .execute();
    await tablesOf(trx)
      .updateTable('svc_webhooks.deliveries')
      .set({ status: 'cancelled', finished_at: now })
      .where('tenant_id', '=', tenantId)
      .where('status', 'in', ['pending', 'held'])
      .execute();
  });
}
