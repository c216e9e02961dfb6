import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { testClock } from '@svc/core/testing';
import { type Connection, connect, type Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect } from 'vitest';
import { createScheduler, defineSchedule } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresScheduleStore } from '../src/schedules/stores/postgres.ts';
import { countJobs, jobRowsMigrations, writeJob } from './schedule-jobs.ts';

const test = databaseTest([jobsMigrations, jobRowsMigrations]);
const program = fileURLToPath(new URL('./programs/scheduler-process.ts', import.meta.url));
const startMs = Date.UTC(2026, 0, 1);
const processes = 10;
// `pnpm soak` runs the long form; starting a process takes longest.
const ticks = process.env['SOAK'] === 'true' ? 1000 : 200;

async function startOne(url: string, nowMs: number): Promise<ChildProcess> {
  const parameters = [url, new Date(nowMs).toISOString()];
  const child = fork(program, parameters, { execArgv: ['--conditions=@svc/source'] });
  const started = once(child, 'message');
  const ended = once(child, 'close').then(() => {
    throw new Error('a scheduler ended before it started');
  });
  await Promise.race([started, ended]);
  ended.catch(() => {});
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

async function untilCount(db: Db, count: number): Promise<void> {
  while ((await countJobs(db)) < count);
}

async function expectEachOnce(db: Db, ticks: number): Promise<void> {
  const { rows } = await sql<{ tick_at: string }>`select tick_at from app.job_rows`.execute(db);
  const expected = Array.from({ length: ticks }, (_, i) =>
    new Date(startMs + (i + 1) * 1000).toISOString(),
  );
  expect(rows.map(({ tick_at }) => tick_at).toSorted()).toEqual(expected);
}

describe('a tick of ten schedulers is one job', () => {
  test('in processes that are killed, in the middle of a tick too', async ({ db, database }) => {
    const url = database.urls?.url ?? '';
    const children = await Promise.all(
      Array.from({ length: processes }, () => startOne(url, startMs)),
    );
    const tell = (message: object) => {
      // One that was killed a moment ago hears nothing any more.
      for (const child of children) if (child.connected) child.send(message, () => {});
    };
    try {
      for (let tick = 1; tick <= ticks; tick += 1) {
        const nowMs = startMs + tick * 1000;
        const replace = async (at: number) => {
          await kill(children[at] as ChildProcess);
          children[at] = await startOne(url, nowMs);
        };
        if (tick % 100 === 50) {
          const heard = new AbortController();
          const holding = children.map(async (child, at) => {
            await once(child, 'message', { signal: heard.signal });
            return at;
          });
          tell({ nowMs, holds: true });
          const at = await Promise.race(holding);
          for (const other of holding) other.catch(() => {});
          heard.abort();
          const replaced = replace(at);
          tell({ releases: true });
          await replaced;
        } else {
          tell({ nowMs });
          if (tick % 50 === 0) await replace(tick % processes === 0 ? (tick / 50) % processes : 0);
        }
        // Now and then several are due at once.
        if (tick % 4 === 0) await untilCount(db, tick);
      }
      await expectEachOnce(db, ticks);
    } finally {
      await Promise.all(children.map(kill));
    }
    await expectEachOnce(db, ticks);
  }, 300_000);

  test('when all of them look at the same moment, each with connections of its own', async ({
    db,
    database,
  }) => {
    await sql`delete from app.job_rows`.execute(db);
    const clock = testClock(new Date(startMs).toISOString());
    const connections: Connection[] = [];
    const own = async () => {
      const connection = await connect(database.urls?.url ?? '', { poolSize: 2 });
      connections.push(connection);
      return createScheduler({
        store: postgresScheduleStore(connection.db),
        schedules: [
          defineSchedule({
            name: 'at-once',
            task: 'app.tick',
            every: '1s',
            payload: (tickAt) => tickAt.toISOString(),
          }),
        ],
        enqueue: (_, payload, { within }) => writeJob(within ?? connection.db, payload as string),
        clock,
      });
    };
    const schedulers = await Promise.all(Array.from({ length: processes }, own));
    await Promise.all(schedulers.map(({ start }) => start()));
    for (let tick = 1; tick <= 100; tick += 1) {
      while (clock.sleeping < processes) await new Promise(setImmediate);
      await clock.advance('1s');
    }
    while (clock.sleeping < processes) await new Promise(setImmediate);
    await Promise.all(schedulers.map(({ stop }) => stop()));
    await expectEachOnce(db, 100);
    await Promise.all(connections.map(({ close }) => close()));
  }, 60_000);
});
