import type { Db } from '@svc/db';
import type { Kysely } from 'kysely';
import type { ExportRow, ProjectTables } from './tables.ts';

/** The exports that exist for whom the transaction is. */
export function exportRepository(trx: Db) {
  const db: Kysely<ProjectTables> = trx;

  return {
    insert: (
      row: Pick<ExportRow, 'id' | 'job_id' | 'requested_by' | 'created_at'>,
    ): Promise<ExportRow> =>
      db.insertInto('app.project_exports').values(row).returningAll().executeTakeFirstOrThrow(),

    /** One that is not over. */
    find: (id: string, now: Date): Promise<ExportRow | undefined> =>
      db
        .selectFrom('app.project_exports')
        .selectAll()
        .where('id', '=', id)
        .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', now)]))
        .executeTakeFirst(),

    /** Gives whether it was there and not written. */
    finish: async (
      id: string,
      result: Pick<ExportRow, 'content' | 'project_count' | 'finished_at' | 'expires_at'>,
    ): Promise<boolean> => {
      const { numUpdatedRows } = await db
        .updateTable('app.project_exports')
        .set(result)
        .where('id', '=', id)
        .where('finished_at', 'is', null)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },

    /** Also those that were never written. */
    purge: async (now: Date, keepMs: number): Promise<number> => {
      const { numDeletedRows } = await db
        .deleteFrom('app.project_exports')
        .where((eb) =>
          eb.or([
            eb('expires_at', '<=', now),
            eb.and([
              eb('finished_at', 'is', null),
              eb('created_at', '<', new Date(now.getTime() - keepMs)),
            ]),
          ]),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}
