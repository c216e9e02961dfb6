import type { Db } from '@svc/db';
import { sql } from 'kysely';
import { SealingBehind } from './failures.ts';

/** An event that waits longer than it should, for whatever reason, is worth a word. */
export const longestWaitMs = 5000;

/** An event that waits. */
export interface Waiting {
  readonly tenant_id: string;
  readonly id: string;
}

/** Events that have waited for longer, by the clock of the database; the first hundred. */
export async function waitingLonger(db: Db, ms: number): Promise<readonly Waiting[]> {
  const { rows } = await sql<Waiting>`
    select tenant_id, id from svc_audit.pending
    where appended_at < clock_timestamp() - ${ms} * interval '1 millisecond'
    order by tenant_id, id limit 100`.execute(db);
  return rows;
}

/** @throws {SealingBehind} when an event has waited for longer. */
export async function assertSealed(db: Db, ms: number): Promise<void> {
  if ((await waitingLonger(db, ms)).length > 0) throw new SealingBehind();
}
