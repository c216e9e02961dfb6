import { isUuid } from '@svc/core';
import { isAlive } from './api-keys/queries.ts';
import type { AuthContext } from './context.ts';
import { tablesOf } from './tables.ts';

/** Which of these sessions or API keys never work again; ids that nobody has included. */
export async function findOver(
  { db, clock }: AuthContext,
  kind: 'session' | 'api_key',
  ids: readonly string[],
): Promise<readonly string[]> {
  const known = ids.filter(isUuid);
  const now = clock.now();
  const living =
    kind === 'session'
      ? tablesOf(db)
          .selectFrom('svc_auth.sessions')
          .select('id')
          .where('id', 'in', known)
          .where('revoked_at', 'is', null)
          .where('idle_expires_at', '>', now)
          .where('absolute_expires_at', '>', now)
      : // One of somebody who is disabled may work again.
        tablesOf(db)
          .selectFrom('svc_auth.api_keys')
          .select('id')
          .where('id', 'in', known)
          .where(isAlive(now));
  const alive = new Set(known.length === 0 ? [] : (await living.execute()).map(({ id }) => id));
  return ids.filter((id) => !alive.has(id.toLowerCase()));
}
