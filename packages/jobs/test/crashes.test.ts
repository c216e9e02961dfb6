import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { systemClock } from '@svc/core';
import { connect, migrate } from '@svc/db';
import { databaseTest, startPostgres } from '@svc/db/testing';
import { sql } from 'kysely';
import { describe, expect, test as plain } from 'vitest';
import { createJobs, createWorker } from '../src/index.ts';
import { jobsMigrations } from '../src/migrations.ts';
import { postgresStore } from '../src/stores/postgres.ts';
import { countedTask, effects } from './counted-task.ts';
import { open, task, until } from './open-jobs.ts';

const test = databaseTest([jobsMigrations, effects]);
const program = (name: string) => fileURLToPath(new URL(`./programs/${name}.ts`, import.meta.url));
const run = promisify(execFile);
const isSoak = process.env['SOAK'] === 'true';
const [jobCount, killEveryMs, kills] = isSoak ? [100_000, 3000, 20] : [600, 700, 4];
const lease = '2s';

async function start(name: string, ...parameters: string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--conditions=@svc/source', program(name), ...parameters]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (value === undefined) throw new Error(`the program ended: ${stderr}`);
  return child;
}

describe('workers that are killed', () => {
  test(
    'lose no job; what ran twice ran in a killed one before; no effect of a transaction is there twice',
    async ({ db, database }) => {
      const url = database.urls?.url ?? '';
      const counted = countedTask();
      const jobs = createJobs({ store: postgresStore(db), tasks: [counted] });
      const workers = await Promise.all(Array.from({ length: 4 }, () => start('work', url, lease)));
      for (let n = 0; n < jobCount; n += 200) {
        const awaited = await jobs.enqueueMany(
          counted,
          Array.from({ length: 199 }, (_, i) => ({ payload: { n: n + i } })),
        );
        const after = awaited.map(({ id }) => id);
        await jobs.enqueue(counted, { n: n + 199 }, { after });
      }
      const killed: number[] = [];
      const left = async () => {
        const counts = (await jobs.stats()).tasks[counted.name] ?? {};
        return (
          (counts.waiting ?? 0) +
          (counts.ready ?? 0) +
          (counts.running ?? 0) +
          (counts.scheduled ?? 0)
        );
      };
      for (let i = 0; killed.length < kills || (await left()) > 0; i += 1) {
        if (killed.length >= kills && !isSoak) break;
        const victim = workers[i % 4] as ChildProcess;
        victim.kill('SIGKILL');
        await once(victim, 'close');
        killed.push(victim.pid ?? 0);
        workers[i % 4] = await start('work', url, lease);
        await systemClock.sleep(killEveryMs);
      }
      const lastKillAtMs = systemClock.elapsedMs();
      while ((await left()) > 0) await systemClock.sleep(50);
      // What the last victim held was ready again within its lease and two seconds.
      if (!isSoak) expect(systemClock.elapsedMs() - lastKillAtMs).toBeLessThan(15_000);
      for (const worker of workers) worker.kill('SIGTERM');
      await Promise.all(workers.map((worker) => once(worker, 'close')));

      const done = await sql<{ count: number }>`
        select count(*)::int as count from svc_jobs.finished where state = 'done'`.execute(db);
      expect(done.rows[0]?.count).toBe(jobCount);
      const numbers = await sql<{ count: number }>`
        select count(distinct n)::int as count from effects.runs`.execute(db);
      expect(numbers.rows[0]?.count).toBe(jobCount);
      const twice =
        await sql`select n from effects.runs where n % 2 = 0 group by n having count(*) > 1`.execute(
          db,
        );
      expect(twice.rows).toEqual([]);
      const early = await sql`
        select w.job from svc_jobs.dependencies d join effects.runs w on w.job = d.job_id
          join effects.runs a on a.job = d.awaited_id where a.at > w.at or d.state is distinct from 'done'`.execute(
        db,
      );
      expect(early.rows).toEqual([]);
      const again = await sql<{ count: number }>`
        select count(*)::int as count from svc_jobs.finished where attempts > 1`.execute(db);
      expect(again.rows[0]?.count).toBeGreaterThan(0);
      const unexplained = await sql`
        select r.* from effects.runs r where r.pid <> all(${killed}::int[])
          and exists (select from effects.runs later where later.job = r.job and later.attempt > r.attempt)`.execute(
        db,
      );
      expect(unexplained.rows).toEqual([]);
      const rest = await sql<{ count: number }>`
        select (select count(*) from svc_jobs.leases) + (select count(*) from svc_jobs.settled)
          + (select count(*) from svc_jobs.progress) as count`.execute(db);
      expect(Number(rest.rows[0]?.count)).toBe(0);
    },
    isSoak ? 1_200_000 : 60_000,
  );

  test('give their jobs back within the lease and two seconds', async ({ db, database }) => {
    const url = database.urls?.url ?? '';
    const slow = countedTask();
    const jobs = createJobs({ store: postgresStore(db), tasks: [slow] });
    const victim = await start('hang', url, '1s');
    const { id } = await jobs.enqueue(slow, { n: 1 });
    await until(async () => (await jobs.get(id))?.state === 'running');
    const worker = createWorker({ jobs, lease: '1s' });
    worker.start();
    victim.kill('SIGKILL');
    const killedAtMs = systemClock.elapsedMs();
    await until(async () => (await jobs.get(id))?.state === 'done');
    expect(systemClock.elapsedMs() - killedAtMs).toBeLessThan(3000);
    expect(await jobs.get(id)).toMatchObject({
      attempts: 2,
      errors: [{ attempt: 1, message: 'The worker that ran it was lost.' }],
    });
    await worker.stop();
  });
});

plain(
  'a worker goes on after PostgreSQL restarted under it, and every job is done',
  async () => {
    await using server = await startPostgres({ durable: true });
    await using owner = await connect(server.ownerUrl);
    await migrate(owner.db, [jobsMigrations], { appRole: 'svc_app' });
    await using connection = await connect(server.url);
    let ran = 0;
    const short = task({
      run: async () => {
        ran += 1;
        await systemClock.sleep(2);
      },
    });
    await using queue = open(connection.db, [short], { concurrency: 4, lease: '2s', prefetch: 0 });
    await queue.jobs.enqueueMany(
      short,
      Array.from({ length: 400 }, (_, n) => ({ payload: { n } })),
    );
    for (const mode of ['fast', 'immediate'] as const) {
      const before = ran;
      await until(() => ran > before + 30);
      await server.restart(mode);
    }
    await until(async () => {
      const counts = await queue.jobs.stats().catch(() => undefined);
      return counts?.tasks[short.name]?.done === 400;
    });
  },
  60_000,
);

plain(
  'ten processes that migrate at once apply each step once',
  async () => {
    await using server = await startPostgres();
    const applied = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const args = ['--conditions=@svc/source', program('migrate'), server.ownerUrl];
        const { stdout } = await run(process.execPath, args);
        return (JSON.parse(stdout) as { applied: number }).applied;
      }),
    );
    expect(applied.reduce((sum, count) => sum + count, 0)).toBe(jobsMigrations.steps.length);
  },
  60_000,
);
