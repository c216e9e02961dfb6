import { afterCommit, type Db, type Migrations } from '@svc/db';
import { sql } from 'kysely';
import type { Auth, MailRequest, QueueMail } from '../src/index.ts';

/** The table of a queue, as an app has one beside ours. */
export const queueMigrations: Migrations = {
  schema: 'mail_queue',
  steps: [
    {
      name: '0001_jobs',
      up: [
        `create table mail_queue.jobs (id bigint generated always as identity primary key, payload jsonb not null)`,
      ],
      down: [`drop table mail_queue.jobs`],
    },
  ],
};

/** Queues into the table and does nothing. */
export const queueMail: QueueMail = async (request, { within }) => {
  await sql`insert into mail_queue.jobs (payload) values (${JSON.stringify(request)}::jsonb)`.execute(
    within,
  );
};

/** Queues into the table and delivers once that is committed. */
export const queueFor =
  (authOf: () => Pick<Auth, 'deliverMail'>): QueueMail =>
  async (request, options) => {
    await queueMail(request, options);
    afterCommit(options.within, () => authOf().deliverMail(request));
  };

/** What is queued, the oldest first. */
export async function queued(db: Db): Promise<readonly MailRequest[]> {
  const { rows } = await sql<{
    payload: MailRequest;
  }>`select payload from mail_queue.jobs order by id`.execute(db);
  return rows.map(({ payload }) => payload);
}
