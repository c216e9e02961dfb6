import type { Db } from '@svc/db';
import { CompiledQuery } from 'kysely';
import { JobNotFound } from '../failures.ts';
import type { Enqueued, NewJob } from '../store.ts';

const enqueueText = `
select duplicate, existing from svc_jobs.enqueue($1::uuid[], $2::text[], $3::text[], $4::smallint[], $5::text[],
  $6::integer[], $7::smallint[], $8::double precision[], $9::timestamptz[], $10::text[], $11::text[])`;

const enqueueWaitingText = `select missing, duplicates from svc_jobs.enqueue_waiting($1::json)`;

/** Stores all of them or none. @throws {JobNotFound} when there is no record of a job that one is to come after. */
export async function enqueue(db: Db, jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
  if (jobs.some(({ after = [] }) => after.length > 0)) return enqueueWaiting(db, jobs);
  // One element where all are the same: what is sent and parsed is half of the work.
  const column = <T>(pick: (job: NewJob) => T): T[] => {
    const values = jobs.map(pick);
    return values.every((value) => value === values[0]) ? values.slice(0, 1) : values;
  };
  const hasUnique = jobs.some(({ attributes }) => attributes.uniqueKey !== undefined);
  const isLater = jobs.some(({ delayMs, runAt }) => delayMs > 0 || runAt !== null);
  const attributesText = (job: NewJob) => {
    const text = JSON.stringify(job.attributes);
    return text === '{}' ? '' : text;
  };
  const { rows } = await db.executeQuery<Duplicate>(
    CompiledQuery.raw(enqueueText, [
      jobs.map(({ id }) => id),
      jobs.map(({ payload }) => payload),
      column(({ task }) => task),
      column(({ priority }) => priority),
      column(({ group }) => group ?? ''),
      column(({ cost }) => cost),
      column(({ maxAttempts }) => maxAttempts),
      isLater ? jobs.map(({ delayMs }) => delayMs) : null,
      isLater ? jobs.map(({ runAt }) => runAt) : null,
      column(attributesText),
      hasUnique ? jobs.map(({ attributes }) => attributes.uniqueKey ?? '') : null,
    ]),
  );
  return toEnqueued(jobs, rows);
}

async function enqueueWaiting(db: Db, jobs: readonly NewJob[]): Promise<readonly Enqueued[]> {
  const { rows } = await db.executeQuery<{ missing: string[]; duplicates: Duplicate[] | null }>(
    CompiledQuery.raw(enqueueWaitingText, [JSON.stringify(jobs)]),
  );
  const { missing = [], duplicates = null } = rows[0] ?? {};
  if (missing.length > 0) throw new JobNotFound({ missing });
  return toEnqueued(jobs, duplicates ?? []);
}

interface Duplicate {
  readonly duplicate: string;
  readonly existing: string;
}

function toEnqueued(jobs: readonly NewJob[], duplicates: readonly Duplicate[]): Enqueued[] {
  const existing = new Map(duplicates.map((row) => [row.duplicate, row.existing]));
  return jobs.map(({ id }) => {
    const other = existing.get(id);
    return other === undefined ? { id, isDuplicate: false } : { id: other, isDuplicate: true };
  });
}
