import { afterEach, expect, test } from 'vitest';
import { control } from './client.ts';
import { enqueueWork, readJob } from './jobs.ts';

const isApart = await control('background/apart');

// Whatever it has found, those after it need the worker.
afterEach(async () => {
  await control('background/terminate', { which: 'worker', signal: 'SIGTERM' });
  await control('background/start', { which: 'worker' });
});

const svc = async (...args: string[]) => {
  const { exitCode, stdout, stderr } = await control('svc/app', { args: [...args, '--json'] });
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return JSON.parse(stdout) as { jobs?: { id: string; attempts: number }[] };
};
test('svc jobs run consumes a sample job that nobody else runs, svc jobs list shows it', async () => {
  // Their mail needs a worker.
  await control('administrator');
  // No worker: where it is the app itself, that starts without one, and gives its database back before svc has it.
  await control('background/terminate', { which: 'worker', signal: 'SIGTERM' });
  if (!isApart) await control('app/start', { environment: { BACKGROUND_IN_WEB: 'false' } });
  const [id] = (await enqueueWork({ key: 'sample' })) as [string];
  expect((await readJob(id)).state).toBe('ready');
  if (!isApart) await control('app/terminate', { signal: 'SIGTERM' });
  await svc('jobs', 'run', '--drain');
  const { jobs = [] } = await svc('jobs', 'list', '--state', 'done', '--task', 'acceptance.work');
  expect(jobs.find((job) => job.id === id)).toMatchObject({ attempts: 1 });
}, 90_000);
