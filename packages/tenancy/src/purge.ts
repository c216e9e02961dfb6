import type { Clock } from '@svc/core';
import type { Db } from '@svc/db';
import type { Selector } from './resolution.ts';
import { tablesOf } from './tables.ts';

export interface PurgedSelections {
  readonly selections: number;
  readonly invitations: number;
}

/** Which of these sessions or API keys never work again. */
export type FindOver = (
  kind: Selector['kind'],
  ids: readonly string[],
) => Promise<readonly string[]>;

const pageSize = 1000;

// An address is personal: it goes when nobody asks any more who was invited.
const invitationsKeptMs = 30 * 24 * 60 * 60_000;

export function createPurge({
  db,
  clock,
  selectionTtlMs,
  findOver,
}: {
  db: Db;
  clock: Clock;
  selectionTtlMs: number;
  findOver: FindOver | undefined;
}): () => Promise<PurgedSelections> {
  return async () => {
    const now = clock.now().getTime();
    const selections = await tablesOf(db)
      .deleteFrom('svc_tenancy.selections')
      .where('kind', '=', 'session')
      .where('selected_at', '<', new Date(now - selectionTtlMs))
      .executeTakeFirst();
    const ended = findOver === undefined ? 0 : await purgeOver(db, findOver);
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
      selections: Number(selections.numDeletedRows) + ended,
      invitations: Number(invitations.numDeletedRows),
    };
  };
}

async function purgeOver(db: Db, findOver: FindOver): Promise<number> {
  let deleted = 0;
  for (const kind of ['session', 'api_key'] as const) {
    for (let after: string | undefined = ''; after !== undefined;) {
      const rows: { id: string }[] = await tablesOf(db)
        .selectFrom('svc_tenancy.selections')
        .select('id')
        .where('kind', '=', kind)
        .where('id', '>', after)
        .orderBy('id')
        .limit(pageSize)
        .execute();
      const ids = rows.map(({ id }) => id);
      const over = ids.length === 0 ? [] : await findOver(kind, ids);
      if (over.length > 0) {
        const { numDeletedRows } = await tablesOf(db)
          .deleteFrom('svc_tenancy.selections')
          .where('kind', '=', kind)
          .where('id', 'in', over)
          .executeTakeFirstOrThrow();
        deleted += Number(numDeletedRows);
      }
      after = ids.length < pageSize ? undefined : ids.at(-1);
    }
  }
  return deleted;
}
