import type { Trx } from '@svc/db';
import { append } from './append.ts';
import type { AuditContext } from './context.ts';
import type { EntryBody } from './entry.ts';

/** The type of the event by which the service's own chain remembers the others. */
export const checkpointed = 'audit.chain.checkpointed';

/** Writes a chain's end into the service's own chain, so that the whole of it cannot disappear unnoticed. */
export async function register(
  context: Pick<AuditContext, 'clock' | 'newId' | 'random'>,
  trx: Trx,
  { tenant_id, size, head }: { tenant_id: string; size: number; head: string },
): Promise<void> {
  await append(context, trx, {
    type: checkpointed,
    actor: { type: 'system', id: null },
    target: { type: 'tenant', id: tenant_id },
    details: { size, head },
  });
}

/** The end of another chain that an entry of the service's own chain tells, if it does. */
export function endIn(body: string): { tenantId: string; size: number; head: string } | undefined {
  if (!body.includes(checkpointed)) return undefined;
  const { event } = JSON.parse(body) as { event?: Partial<EntryBody['event']> };
  const { size, head } = event?.details ?? {};
  const tenantId = event?.target?.id;
  if (event?.type !== checkpointed || typeof tenantId !== 'string') return undefined;
  return typeof size === 'number' && typeof head === 'string'
    ? { tenantId, size, head }
    : undefined;
}
