import { type UserManagement, UserNotFound } from '@svc/auth';
import type { Tenancy } from '@svc/tenancy';
import type { Notify } from '@svc/webhooks';
import * as v from 'valibot';

const Id = v.pipe(v.string(), v.uuid());

/** Who is told what of which endpoint. */
export const NoticeToOwner = v.strictObject({
  userId: Id,
  endpointId: Id,
  type: v.picklist(['failing', 'disabled', 'gone', 'recovered']),
});
export type NoticeToOwner = v.InferOutput<typeof NoticeToOwner>;

interface NoticeNeeds {
  readonly tenancy: Pick<Tenancy, 'members'>;
  readonly enqueueMany: (
    items: readonly { payload: NoticeToOwner; tenantId: string; uniqueKey: string }[],
    options: Parameters<Notify>[1],
  ) => Promise<unknown>;
}

/** Queues a mail to each owner of the tenant whose endpoint it is about. */
export function notifyOwners({ tenancy, enqueueMany }: NoticeNeeds): Notify {
  return async ({ tenantId, endpointId, type }, { within }) => {
    const owners = await tenancy.members.owners(tenantId, { within });
    const items = owners.map((userId) => ({
      payload: { userId, endpointId, type },
      tenantId,
      uniqueKey: ['webhooks.notice', endpointId, type, userId].join(' '),
    }));
    await enqueueMany(items, { within });
  };
}

interface Send {
  readonly users: Pick<UserManagement, 'get'>;
  readonly send: (
    mail: Omit<NoticeToOwner, 'userId'> & { readonly to: string },
  ) => Promise<unknown>;
}

/** Sends it to the address that the owner has now, if they still have one that is proven. */
export function sendNotice({ users, send }: Send) {
  return async ({ userId, ...notice }: NoticeToOwner): Promise<void> => {
    const owner = await users.get(userId).catch((error: unknown) => {
      if (error instanceof UserNotFound) return undefined;
      throw error;
    });
    if (owner === undefined || owner.verifiedAt === null || owner.disabledAt !== null) return;
    await send({ to: owner.email, ...notice });
  };
}
