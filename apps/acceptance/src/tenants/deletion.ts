import type { Actor, Auth } from '@svc/auth';
import type { Trx } from '@svc/db';
import type { AttemptContext } from '@svc/jobs';
import {
  createTenantDeletion,
  type OnDeletionRequested,
  type Tenancy,
  type TenantDeletion,
  type TenantTables,
} from '@svc/tenancy';
import type { Webhooks } from '@svc/webhooks';

/** Which deletion a job is for: of a tenant that was brought back and deleted again, the later one. */
export interface DeletionToRun {
  readonly tenantId: string;
  readonly dueAt: string;
}

export interface TenantDeletions extends Pick<TenantDeletion, 'find'> {
  /** Queues it for when it is due, in the transaction that freezes the tenant. */
  request: OnDeletionRequested;
  /** The work of the job; nothing where the tenant was brought back. */
  run(of: DeletionToRun, context: Pick<AttemptContext, 'signal' | 'logger'>): Promise<void>;
  /** Queues those that are due and that no job is for, as it was given up; gives how many are due. */
  queueDue(): Promise<number>;
}

interface TenantDeletionsNeeds {
  readonly tenancy: Tenancy;
  readonly tables: TenantTables;
  readonly apiKeys: Pick<Auth['apiKeys'], 'ofTenant'>;
  readonly webhooks: Pick<Webhooks, 'stopTenant'>;
  readonly enqueue: (
    of: DeletionToRun,
    options: { within?: Trx; runAt: Date; uniqueKey: string; tenantId: string },
  ) => Promise<unknown>;
}

const actor: Actor = { type: 'system', id: null, reason: 'the tenant is being deleted' };

/** What becomes of a tenant that its owner has deleted. */
export function createTenantDeletions({
  tenancy,
  tables,
  apiKeys,
  webhooks,
  enqueue,
}: TenantDeletionsNeeds): TenantDeletions {
  const deletion = createTenantDeletion({
    tenancy,
    tables,
    revoke: async (tenantId, { within }) => {
      await apiKeys.ofTenant.revokeAll(tenantId, {}, actor, { within });
      await webhooks.stopTenant(tenantId, { within });
    },
  });
  const queue = (tenantId: string, runAt: Date, within?: Trx) => {
    const dueAt = runAt.toISOString();
    const uniqueKey = `tenancy.delete ${tenantId} ${dueAt}`;
    const options = { runAt, uniqueKey, tenantId, ...(within !== undefined && { within }) };
    return enqueue({ tenantId, dueAt }, options);
  };
  return {
    find: deletion.find,
    request: (tenantId, { within, dueAt }) => queue(tenantId, dueAt, within),
    async run({ tenantId, dueAt }, { signal, logger }) {
      const found = await deletion.find(tenantId);
      if (found?.dueAt.toISOString() !== dueAt) return;
      const { sha256 } = await deletion.run(tenantId, { signal });
      logger.info({ tenantId, receipt: sha256 }, 'a tenant was deleted');
    },
    async queueDue() {
      const due = await deletion.due();
      for (const tenantId of due) {
        const found = await deletion.find(tenantId);
        if (found !== null) await queue(tenantId, found.dueAt);
      }
      return due.length;
    },
  };
}
