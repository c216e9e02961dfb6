import { systemClock } from '@svc/core';
import { createJobs, createWorker, defineTask, memoryStore, NonRetryable } from '@svc/jobs';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { createProject } from './project.ts';

/** What a config finds in the process of the test. */
const shared = globalThis as unknown as { svcJobsTarget?: unknown };
const config = `export default {
  database: () => ({ url: 'pglite://memory' }),
  jobs: () => globalThis.svcJobsTarget,
};`;

function openQueue() {
  const sample = defineTask({
    name: 'sample',
    payload: v.object({ secret: v.string() }),
    run: ({ secret }) => {
      if (secret === 'bad') throw new NonRetryable('broken\u001B[31m');
    },
  });
  const jobs = createJobs({ store: memoryStore(), tasks: [sample] });
  let closed = 0;
  shared.svcJobsTarget = {
    jobs,
    get worker() {
      return createWorker({ jobs });
    },
    close: async () => void (closed += 1),
  };
  return { jobs, closed: () => closed };
}

test('jobs are run, and what is dead is listed, replayed and purged', async () => {
  const { jobs, closed } = openQueue();
  await using project = await createProject({ 'svc.config.mjs': config });
  const good = await jobs.enqueue('sample', { secret: 'good' });
  const bad = await jobs.enqueue('sample', { secret: 'bad' });
  const waiting = await project.run('jobs', 'list');
  expect(waiting.stdout).toContain(good.id);
  expect(waiting.stdout).not.toContain('secret');
  expect(await project.run('jobs', 'run', '--drain')).toMatchObject({ exitCode: 0, stderr: '' });
  expect(await jobs.get(good.id)).toMatchObject({ state: 'done' });
  const listed = await project.run('jobs', 'dead');
  expect(listed.stdout).toContain(bad.id);
  expect(listed.stdout).toContain('broken');
  expect(listed.stdout).not.toContain('\u001B');
  const json = await project.run('jobs', 'dead', '--replay', '--task', 'sample', '--json');
  expect(JSON.parse(json.stdout)).toEqual({ ok: true, replayed: 1 });
  expect(await jobs.get(bad.id)).toMatchObject({ state: 'ready', attempts: 0 });
  await project.run('jobs', 'run', '--drain');
  expect((await project.run('jobs', 'retry', bad.id)).stdout).toBe(`ready ${bad.id}\n`);
  await project.run('jobs', 'run', '--drain');
  expect((await project.run('jobs', 'dead', '--purge')).stdout).toBe('purged 1\n');
  expect(closed()).toBe(8);
});

test('a worker stops when the process is asked to end', async () => {
  openQueue();
  await using project = await createProject({ 'svc.config.mjs': config });
  const before = process.listeners('SIGTERM');
  const running = project.run('jobs', 'run');
  const added = () => process.listeners('SIGTERM').filter((each) => !before.includes(each));
  while (added().length === 0) await systemClock.sleep(1);
  // Not sent for real: the test runner has listeners, too.
  added()[0]?.('SIGTERM');
  expect(await running).toEqual({ exitCode: 0, stdout: 'Stopped by SIGTERM.\n', stderr: '' });
  expect(added()).toEqual([]);
});

test('what does not fit is refused', async () => {
  openQueue();
  await using project = await createProject({ 'svc.config.mjs': config });
  expect((await project.run('jobs', 'retry')).exitCode).toBe(2);
  expect((await project.run('jobs', 'list', '--state', 'lost')).exitCode).toBe(2);
  expect((await project.run('jobs', 'list', '--limit', '0')).exitCode).toBe(2);
  expect((await project.run('jobs', 'dead', '--replay', '--purge')).exitCode).toBe(2);
  expect(await project.run('jobs', 'retry', 'nonsense')).toMatchObject({
    exitCode: 1,
    stderr: 'svc: There is no such job.\n',
  });
});
