import type { Db, Migrations } from '@svc/db';
import { sql } from 'kysely';

/** A queue that takes whatever it is given, as often as it is given. */
export const jobRowsMigrations: Migrations = {
  schema: 'app',
  steps: [
    {
      name: '0001_job_rows',
      up: [`create table app.job_rows (tick_at text not null, process integer not null)`],
      down: [`drop table app.job_rows`],
    },
  ],
};

export async function writeJob(db: Db, tickAt: string): Promise<void> {
  await sql`insert into app.job_rows values (${tickAt}, ${process.pid})`.execute(db);
}

export async function countJobs(db: Db): Promise<number> {
  const { rows } = await sql<{ count: bigint }>`select count(*) from app.job_rows`.execute(db);
  return Number(rows[0]?.count);
}
