import type { Clock } from '@svc/core';
import type { Db } from '@svc/db';
import { tablesOf } from './tables.ts';

export interface PurgedSelections {
  readonly selections: number;
  readonly invitations: number;
}

// An address is personal: it goes when nobody asks any more who was invited.
const invitationsKeptMs = 30 * 24 * 60 * 60_000;

export function createPurge({
  db,
  clock,
  selectionTtlMs,
}: {
  db: Db;
  clock: Clock;
  selectionTtlMs: number;
}): () => Promise<PurgedSelections> {
  return async () => {
    const now = clock.now().getTime();
    const selections = await tablesOf(db)
      .deleteFrom('svc_tenancy.selections')
      .where('kind', '=', 'session')
      .where('selected_at', '<', new Date(now - selectionTtlMs))
      .executeTakeFirst();
    const before = new Date(now - invitationsKeptMs);
    const invitations = await tablesOf(db)
      .deleteFrom('svc_tenancy.invitations')
      .where((eb) =>
        eb.or([
          eb('expires_at', '<', before),
          eb('accepted_at', '<', before),
          eb('revoked_at', '<', before),
        ]),
      )
      .executeTakeFirst();
    return {
      selections: Number(selections.numDeletedRows),
      invitations: Number(invitations.numDeletedRows),
    };
  };
}
