import { isUuid } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { WriteOptions } from '../context.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { assertStrong } from '../second-factors/assert-strong.ts';
import { disableMfaIfLast } from '../second-factors/enabling.ts';
import { queueNotice } from '../security-notice.ts';
import type { PasskeyRow } from '../tables.ts';
import { findUser, lockUser } from '../users.ts';
import { assertOtherWayIn } from '../ways-in.ts';
import type { PasskeysContext } from './context.ts';
import { UnknownPasskey } from './failures.ts';
import { deletePasskey, passkeysOf } from './queries.ts';

/** A passkey, as its owner sees it. */
export interface Passkey {
  readonly id: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
  /** It is on more than one device, or can be restored. */
  readonly backedUp: boolean;
}

export async function list(context: PasskeysContext, principal: Principal): Promise<Passkey[]> {
  sessionOf(principal);
  return (await passkeysOf(context.auth.db, principal.userId)).map(toPasskey);
}

export async function remove(
  context: PasskeysContext,
  principal: Principal,
  id: string,
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const { auth } = context;
  const session = sessionOf(principal);
  const { userId } = principal;
  if (!isUuid(id)) throw new UnknownPasskey();
  await transact(within ?? auth.db, async (trx) => {
    assertStrong(await lockUser(trx, userId), session);
    const row = await deletePasskey(trx, id, userId);
    if (row === undefined) throw new UnknownPasskey();
    await assertOtherWayIn(trx, { userId, id, providers: context.providers });
    const details = { passkeyId: id };
    await record(auth, trx, { type: 'auth.passkey.removed', userId, details }, origin);
    await disableMfaIfLast(trx, userId);
    await tellOwner(context, trx, userId, 'passkey_removed');
  });
}

/** Mails the owner what happened, once it has. */
export async function tellOwner(
  { auth }: PasskeysContext,
  trx: Trx,
  userId: string,
  change: 'passkey_added' | 'passkey_removed',
): Promise<void> {
  const { email } = await findUser(trx, userId);
  await queueNotice(auth, trx, { id: userId, email }, change);
}

export function toPasskey(row: PasskeyRow): Passkey {
  return {
    id: row.id,
    name: row.name,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    backedUp: row.backed_up,
  };
}
