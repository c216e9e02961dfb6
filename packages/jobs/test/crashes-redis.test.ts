import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@svc/core';
import { noRedisServer } from '@svc/core/testing';
import { describe, expect, test } from 'vitest';
import { createJobs } from '../src/index.ts';
import { redisStore } from '../src/stores/redis.ts';
import { countedTask } from './counted-task.ts';
import { startRedis } from './redis-server.ts';

const program = fileURLToPath(new URL('./programs/work-redis.ts', import.meta.url));
const isSoak = process.env['SOAK'] === 'true';
const [jobCount, killEveryMs, kills] = isSoak ? [100_000, 3000, 20] : [600, 700, 4];
const lease = '2s';

async function startWorker(port: number): Promise<ChildProcess> {
  const words = ['--conditions=@svc/source', program, String(port), lease];
  const child = spawn(process.execPath, words);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (value === undefined) throw new Error(`the program ended: ${stderr}`);
  return child;
}

interface Run {
  readonly id: string;
  readonly n: number;
  readonly attempt: number;
  readonly pid: number;
}

// skipped because there is no redis-server on the PATH; the name of the block says so
describe.skipIf(noRedisServer !== undefined)(
  `workers over Redis that are killed${noRedisServer === undefined ? '' : ` (${noRedisServer})`}`,
  () => {
    test(
      'lose no job, nor the end of a batch; what ran twice ran in a killed one before',
      async () => {
        await using server = await startRedis();
        const client = await server.connect();
        const counted = countedTask();
        const jobs = createJobs({ store: redisStore(client), tasks: [counted] });
        const workers = await Promise.all(
          Array.from({ length: 4 }, () => startWorker(server.port)),
        );
        const batch: string[] = [];
        for (let n = 0; n < jobCount; n += 200) {
          const items = Array.from({ length: 200 }, (_, i) => ({ payload: { n: n + i } }));
          batch.push(...(await jobs.enqueueMany(counted, items)).map(({ id }) => id));
        }
        const after = batch.slice(-500);
        const { id: end } = await jobs.enqueue(counted, { n: jobCount }, { after });
        const countsNow = async () => (await jobs.stats()).tasks[counted.name] ?? {};
        const left = async () => {
          const { waiting = 0, ready = 0, running = 0, scheduled = 0 } = await countsNow();
          return waiting + ready + running + scheduled;
        };
        const killed: number[] = [];
        for (let i = 0; i < kills; i += 1) {
          const victim = workers[i % 4] as ChildProcess;
          victim.kill('SIGKILL');
          await once(victim, 'close');
          killed.push(victim.pid ?? 0);
          workers[i % 4] = await startWorker(server.port);
          await systemClock.sleep(killEveryMs);
        }
        const lastKillAtMs = systemClock.elapsedMs();
        while ((await left()) > 0) await systemClock.sleep(50);
        if (!isSoak) expect(systemClock.elapsedMs() - lastKillAtMs).toBeLessThan(15_000);
        for (const worker of workers) worker.kill('SIGTERM');
        await Promise.all(workers.map((worker) => once(worker, 'close')));

        expect(await countsNow()).toEqual({ done: jobCount + 1 });
        const runs = (await client.lrange('runs', 0, -1)).map((line) => JSON.parse(line) as Run);
        expect(new Set(runs.map(({ n }) => n)).size).toBe(jobCount + 1);
        const order = runs.map(({ id }) => id);
        expect(after.every((id) => order.lastIndexOf(id) < order.indexOf(end))).toBe(true);
        const last = new Map<string, number>();
        for (const { id, attempt } of runs) last.set(id, Math.max(attempt, last.get(id) ?? 0));
        expect([...last.values()].some((attempt) => attempt > 1)).toBe(true);
        const unexplained = runs.filter(
          ({ id, attempt, pid }) => attempt < (last.get(id) ?? 0) && !killed.includes(pid),
        );
        expect(unexplained).toEqual([]);
        const rest = await client.keys('{svc:jobs}:*lease*');
        expect(rest).toEqual([]);
        expect(await client.exists('{svc:jobs}:workers', '{svc:jobs}:limited')).toBe(0);
      },
      isSoak ? 1_200_000 : 60_000,
    );
  },
);
