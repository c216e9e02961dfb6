import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { systemClock } from '@svc/core';
import { connect, migrate } from '@svc/db';
import type { PostgresServer } from '@svc/db/testing';
import { createJobs, defineTask } from '@svc/jobs';
import { jobsMigrations } from '@svc/jobs/migrations';
import { postgresStore } from '@svc/jobs/postgres';
import * as v from 'valibot';
import { type Benchmark, type Prepared, WrongAnswer } from '../benchmark.ts';
import { oneAfterTheOther } from '../load.ts';

const program = fileURLToPath(new URL('../jobs/worker-process.ts', import.meta.url));

/** How soon an idle worker of another process begins. */
export const jobsStartPostgres: Benchmark = {
  name: 'jobs-start-postgres',
  summary:
    'from enqueue to the line on which a waiting worker of another process says that it runs, one every 20 ms',
  reference: 'svc',
  goals: [
    { variant: 'svc', figure: 'p50Ms', atMost: 2 },
    { variant: 'svc', figure: 'p99Ms', atMost: 10 },
  ],
  prepare,
};

async function prepare(server: PostgresServer): Promise<Prepared> {
  const { db, close } = await connect(server.ownerUrl, { poolSize: 5 });
  await migrate(db, [jobsMigrations]);
  const task = defineTask({
    name: 'bench.start',
    payload: v.object({ n: v.number() }),
    run: () => {},
  });
  const jobs = createJobs({ store: postgresStore(db), tasks: [task], keepDone: false });
  const child = spawn(process.execPath, [program, server.ownerUrl], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  if ((await lines.next()).value !== 'ready') throw new Error('the worker did not start');
  let number = 0;
  const take = async () => {
    const n = (number += 1);
    const began = systemClock.elapsedMs();
    const added = jobs.enqueue(task, { n });
    const { value } = await lines.next();
    const tookMs = systemClock.elapsedMs() - began;
    if (value !== String(n)) throw new WrongAnswer(`job ${value} ran in place of ${n}`);
    await added;
    // The worker is idle again, and no two wake-ups are one.
    await systemClock.sleep(20);
    return tookMs;
  };
  return {
    variants: [{ name: 'svc', run: (durationMs) => oneAfterTheOther(durationMs, take) }],
    async [Symbol.asyncDispose]() {
      child.kill();
      await close();
    },
  };
}
