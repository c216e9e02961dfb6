import { isUuid } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import type { Origin } from '../origin.ts';
import { DeviceNotFound } from '../failures.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { type DeviceRow, tablesOf } from '../tables.ts';
import { deviceTtlMs, forgetDevices } from './devices.ts';

/** A browser in which its user has signed in before. */
export interface Device {
  readonly id: string;
  /** How the person will recognise it: the user agent of the last sign-in. */
  readonly name: string | null;
  readonly createdAt: Date;
  /** The last sign-in in it. */
  readonly lastSeenAt: Date;
  /** Until when no second factor is asked for in it; `null` where it is. */
  readonly trustedUntil: Date | null;
}

/** The devices of whoever asks. None of it is for API keys. */
export interface OwnDevices {
  /** The newest hundred, the last one used first. @throws {AccessDenied} */
  list(principal: Principal): Promise<readonly Device[]>;
  /** Forgets one of them, and the trust in it. @throws {AccessDenied} @throws {DeviceNotFound} */
  forget(principal: Principal, id: string, options?: WriteOptions): Promise<void>;
  /** Forgets all of them and answers how many. @throws {AccessDenied} */
  forgetAll(principal: Principal, options?: WriteOptions): Promise<number>;
}

export function createOwnDevices(context: AuthContext): OwnDevices {
  const { clock, db } = context;
  const alive = (row: DeviceRow) => row.trusted_until !== null && row.trusted_until > clock.now();
  return {
    async list(principal) {
      sessionOf(principal);
      const rows = await tablesOf(db)
        .selectFrom('svc_auth.devices')
        .selectAll()
        .where('user_id', '=', principal.userId)
        .where('last_seen_at', '>', new Date(clock.now().getTime() - deviceTtlMs))
        .orderBy('last_seen_at', 'desc')
        .orderBy('id', 'desc')
        .limit(100)
        .execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        createdAt: row.created_at,
        lastSeenAt: row.last_seen_at,
        trustedUntil: alive(row) ? row.trusted_until : null,
      }));
    },
    async forget(principal, id, { within, origin } = {}) {
      sessionOf(principal);
      if (!isUuid(id)) throw new DeviceNotFound();
      const { userId } = principal;
      await transact(within ?? db, async (trx) => {
        if (!(await forgetDevice(context, trx, userId, id, origin))) throw new DeviceNotFound();
      });
    },
    async forgetAll(principal, { within, origin } = {}) {
      sessionOf(principal);
      const { userId } = principal;
      return transact(within ?? db, async (trx) => {
        const devicesForgotten = await forgetDevices(trx, userId);
        const act = {
          type: 'auth.device.forgotten',
          userId,
          details: { devicesForgotten },
        } as const;
        if (devicesForgotten > 0) await record(context, trx, act, origin);
        return devicesForgotten;
      });
    },
  };
}

/** Forgets one device of a user, and records it. Answers whether there was one. */
export async function forgetDevice(
  context: AuthContext,
  trx: Trx,
  userId: string,
  id: string,
  origin: Origin | undefined,
): Promise<boolean> {
  const gone = await tablesOf(trx)
    .deleteFrom('svc_auth.devices')
    .where('id', '=', id)
    .where('user_id', '=', userId)
    .executeTakeFirst();
  if (gone.numDeletedRows === 0n) return false;
  const target = { type: 'device', id };
  await record(context, trx, { type: 'auth.device.forgotten', userId, target }, origin);
  return true;
}
