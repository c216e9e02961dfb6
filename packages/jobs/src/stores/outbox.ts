import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import { afterCommit, type Db, transact, type Trx } from '@svc/db';
import { CompiledQuery } from 'kysely';
import { JobNotFound } from '../failures.ts';
import type { JobStore, NewJob } from '../store.ts';
import type { RedisJobStore } from './redis.ts';

export interface OutboxOptions {
  /** @default systemClock */
  clock?: Clock;
  /** Told when jobs cannot be moved. @default silentLogger */
  logger?: Logger;
}

/** A store that enqueues within transactions, and whose jobs are elsewhere. */
export interface Outbox extends JobStore {
  readonly joins: 'enqueue';
  /** Moves what is committed, of whichever process; gives how many jobs. Processes with a worker do it each second, and whoever enqueues does after the commit. */
  relay(): Promise<number>;
}

const movedAtOnce = 500;
const sweepEveryMs = 1000;
/** Who does not hear from Redis for so long gives the jobs back to the outbox. */
const patienceMs = 5000;
/** A claim waits so long for what this process is moving. */
const claimWaitsMs = 100;

/**
 * Enqueues `within` a transaction of `db` by a row that commits with it, which a relay moves to Redis after the commit, in
 * order. Each job is stored once, however often a relay is killed: Redis knows the ids it was given and refuses a relay that
 * another has followed. A unique key is looked at when its job is moved: one that comes second is dropped then. So is what a
 * job comes `after`: where one is not there by then, it is a dead letter. `complete`,
 * `cancel` and `retry` do not join.
 */
export function withOutbox(
  store: RedisJobStore,
  db: Db,
  { clock = systemClock, logger = silentLogger }: OutboxOptions = {},
): Outbox {
  let settled: readonly string[] = [];
  let batch: Promise<number> | undefined;
  let moving: Promise<number> | undefined;
  let isAsked = false;
  let sweptAtMs = -Infinity;
  let hasFailed = false;

  const moveSome = async (): Promise<number> => {
    const forgotten = settled;
    const ids = await transact(
      db,
      async (trx) => {
        const term = await takeTerm(trx);
        const rows = await readSome(trx);
        if (rows.length === 0) return [];
        const moved = store.move(rows.map(toNewJob), { term, settled: forgotten });
        await inTime(clock, patienceMs, moved);
        // Not before Redis has them: from here on they are nowhere else.
        await deleteSome(trx, rows);
        return rows.map(({ id }) => id);
      },
      // Who waits for longer has nothing to move: another relay is at work, and this one looks again.
      { settings: { lock_timeout: '2000' } },
    );
    if (ids.length === 0) return 0;
    settled = ids;
    await store.wake();
    return ids.length;
  };
  const moveAll = async () => {
    let total = 0;
    try {
      while (isAsked) {
        isAsked = false;
        let count = movedAtOnce;
        for (; count === movedAtOnce; total += count) count = await (batch = moveSome());
      }
    } finally {
      batch = undefined;
      moving = undefined;
    }
    return total;
  };
  const relay = () => {
    isAsked = true;
    return (moving ??= moveAll());
  };
  const relaySoon = () =>
    void relay().then(
      () => (hasFailed = false),
      (error: unknown) => {
        if (!hasFailed)
          logger.warn({ err: error }, 'jobs cannot be moved: they stay in the outbox');
        hasFailed = true;
      },
    );
  const sweep = () => {
    if (clock.elapsedMs() - sweptAtMs < sweepEveryMs) return;
    sweptAtMs = clock.elapsedMs();
    relaySoon();
  };

  return {
    ...store,
    joins: 'enqueue',
    relay,
    async enqueue(jobs, within) {
      if (within === undefined)
        return store.enqueue(jobs).catch(async (error: unknown) => {
          if (!(error instanceof JobNotFound)) throw error;
          // What it is to come after may be in the outbox still.
          await relay();
          return store.enqueue(jobs);
        });
      // Before the write: a transaction that could not tell is refused with nothing in it.
      afterCommit(within, relaySoon);
      await writeRows(within, jobs);
      return jobs.map(({ id }) => ({ id, isDuplicate: false }));
    },
    async claim(request) {
      sweep();
      if (batch !== undefined) await inTime(clock, claimWaitsMs, batch).catch(() => {});
      return store.claim(request);
    },
    complete: () =>
      Promise.reject(new TypeError('a job in Redis cannot be completed in a transaction')),
  };
}

/** @throws {TypeError} when it takes longer. */
async function inTime<T>(clock: Clock, ms: number, work: Promise<T>): Promise<T> {
  const timer = new AbortController();
  const tooLate = clock.sleep(ms, timer.signal).then(() => {
    throw new TypeError(`Redis did not answer within ${ms} ms`);
  });
  tooLate.catch(() => {}); // Answered in time.
  try {
    return await Promise.race([work, tooLate]);
  } finally {
    work.catch(() => {}); // Nobody waits for it any more.
    timer.abort('answered');
  }
}

interface OutboxRow {
  readonly place: bigint;
  readonly id: string;
  readonly job: string;
  readonly run_at: Date | null;
}

const toNewJob = ({ job, run_at }: OutboxRow): NewJob => ({
  ...(JSON.parse(job) as NewJob),
  // By the clock of the database.
  runAt: run_at,
});

const writeText = `
insert into svc_jobs_outbox.jobs (id, job, run_at)
select id, job, coalesce(run_at, case when delay_ms > 0 then clock_timestamp() + delay_ms * interval '1 ms' end)
from unnest($1::uuid[], $2::text[], $3::double precision[], $4::timestamptz[])
  with ordinality as u(id, job, delay_ms, run_at, ord) order by ord`;

async function writeRows(trx: Trx, jobs: readonly NewJob[]): Promise<void> {
  await trx.executeQuery(
    CompiledQuery.raw(writeText, [
      jobs.map(({ id }) => id),
      jobs.map((job) => JSON.stringify({ ...job, delayMs: 0, runAt: null })),
      jobs.map(({ delayMs }) => delayMs),
      jobs.map(({ runAt }) => runAt),
    ]),
  );
}

// The lock ends with the transaction, and the term is taken under it: who has it later has a higher one.
const termText = `
with locked as materialized (select pg_advisory_xact_lock(6117, 2))
select nextval('svc_jobs_outbox.terms')::double precision as term from locked`;

async function takeTerm(trx: Trx): Promise<number> {
  const { rows } = await trx.executeQuery<{ term: number }>(CompiledQuery.raw(termText));
  return (rows[0] as { term: number }).term;
}

async function readSome(trx: Trx): Promise<readonly OutboxRow[]> {
  const text = 'select place, id, job, run_at from svc_jobs_outbox.jobs order by place limit $1';
  return (await trx.executeQuery<OutboxRow>(CompiledQuery.raw(text, [movedAtOnce]))).rows;
}

async function deleteSome(trx: Trx, rows: readonly OutboxRow[]): Promise<void> {
  const text = 'delete from svc_jobs_outbox.jobs where place = any($1::bigint[])';
  await trx.executeQuery(CompiledQuery.raw(text, [rows.map(({ place }) => place)]));
}
