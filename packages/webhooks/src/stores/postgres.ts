import type { Db } from '@svc/db';
import { sql } from 'kysely';
import type { WebhookInbox } from '../incoming/inbox.ts';
import { tablesOf } from '../tables.ts';

/** Remembers in PostgreSQL or PGlite, by the database's clock. */
export function postgresInbox(db: Db): WebhookInbox {
  return {
    async claim({ source, id, token, leaseMs }) {
      const { rows } = await sql<{ token: string }>`
        insert into svc_webhooks.inbox as i (source, id, token, is_done, until)
        values (${source}, ${id}, ${token}::uuid, false, ${fromNow(leaseMs)})
        on conflict (source, id) do update
        set token = excluded.token, is_done = false, until = excluded.until
        where i.until <= clock_timestamp()
        returning token`.execute(db);
      if (rows.length > 0) return 'claimed';
      const row = await tablesOf(db)
        .selectFrom('svc_webhooks.inbox')
        .select('is_done')
        .where('source', '=', source)
        .where('id', '=', id)
        .executeTakeFirst();
      // Released between the two statements: the sender comes again.
      return row?.is_done === true ? 'done' : 'busy';
    },
    async finish({ source, id, token, keepMs }, within) {
      const { numUpdatedRows } = await tablesOf(within ?? db)
        .updateTable('svc_webhooks.inbox')
        .set({ is_done: true, until: fromNow(keepMs) })
        .where('source', '=', source)
        .where('id', '=', id)
        .where('token', '=', token)
        .where('is_done', '=', false)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    },
    async release({ source, id, token }) {
      await tablesOf(db)
        .deleteFrom('svc_webhooks.inbox')
        .where('source', '=', source)
        .where('id', '=', id)
        .where('token', '=', token)
        .where('is_done', '=', false)
        .execute();
    },
    async purge() {
      const { numDeletedRows } = await tablesOf(db)
        .deleteFrom('svc_webhooks.inbox')
        .where(sql<boolean>`until <= clock_timestamp()`)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

const fromNow = (ms: number) => sql<Date>`clock_timestamp() + ${ms}::float8 * interval '1 ms'`;
