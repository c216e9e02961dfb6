import { type Db, hasVersion } from '@svc/db';
import type { Kysely } from 'kysely';
import type { ProjectRow, ProjectTables } from './tables.ts';

/** What may be changed in a project. */
export interface ProjectChange {
  name?: string | undefined;
  description?: string | null | undefined;
}

/** The versions a write is meant for; `undefined` stands for any. */
export type Versions = readonly number[] | undefined;

/** The rows that exist for whom the transaction is: its scope adds the tenant to every statement, and sets it on insert. */
export function projectRepository(trx: Db) {
  const db: Kysely<ProjectTables> = trx;

  return {
    list: (limit: number, beforeId: string | undefined): Promise<ProjectRow[]> =>
      db
        .selectFrom('app.projects')
        .selectAll()
        .$if(beforeId !== undefined, (query) => query.where('id', '<', beforeId as string))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute(),

    find: (id: string): Promise<ProjectRow | undefined> =>
      db.selectFrom('app.projects').selectAll().where('id', '=', id).executeTakeFirst(),

    insert: (row: Omit<ProjectRow, 'tenant_id'>): Promise<ProjectRow> =>
      db.insertInto('app.projects').values(row).returningAll().executeTakeFirstOrThrow(),

    /** Changes the row if it has one of these versions. */
    update: (
      id: string,
      versions: Versions,
      change: ProjectChange,
      updatedAt: Date,
    ): Promise<ProjectRow | undefined> =>
      db
        .updateTable('app.projects')
        .set((eb) => ({ ...change, updated_at: updatedAt, version: eb('version', '+', 1) }))
        .where('id', '=', id)
        .$if(versions !== undefined, (query) => query.where(hasVersion(versions ?? [])))
        .returningAll()
        .executeTakeFirst(),

    /** Deletes the row if it has one of these versions. */
    delete: (id: string, versions: Versions): Promise<{ id: string } | undefined> =>
      db
        .deleteFrom('app.projects')
        .where('id', '=', id)
        .$if(versions !== undefined, (query) => query.where(hasVersion(versions ?? [])))
        .returning('id')
        .executeTakeFirst(),
  };
}
