import type { Db } from '@svc/db';
import { CompiledQuery } from 'kysely';
import type { AuditContext } from './context.ts';
import { type AuditEvent, toPending } from './event.ts';
import type { PendingRow } from './tables.ts';

// Runs with every act of the app: one statement that needs no building and takes no lock that another waits for.
const insertText =
  'insert into svc_audit.pending (tenant_id, id, at_ms, event, personal) values ($1, $2, $3, $4, $5)';

export async function append(
  { clock, newId, random }: Pick<AuditContext, 'clock' | 'newId' | 'random'>,
  db: Db,
  event: AuditEvent,
): Promise<void> {
  await insertPending(db, toPending(event, { id: newId(), atMs: clock.now().getTime(), random }));
}

export async function insertPending(db: Db, row: PendingRow): Promise<void> {
  const { tenant_id, id, at_ms, event, personal } = row;
  await db.executeQuery(CompiledQuery.raw(insertText, [tenant_id, id, at_ms, event, personal]));
}
