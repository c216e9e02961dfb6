import { expect, onTestFinished, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, request, signUpInTenant } from './client.ts';
import { allDone, enqueueWork, exportOnceReady, readJob, requestExport, seenJobs } from './jobs.ts';

const isApart = await control('background/apart');

const running = (ids: readonly string[]) =>
  waitFor('jobs to be running', 10_000, async () => {
    const found = (await seenJobs('running')).filter(({ id }) => ids.includes(id));
    return found.length > 0 ? found : undefined;
  });

test('a worker that is killed loses no job: all of them run, again or for the first time', async () => {
  const ids = await enqueueWork({ ms: 500, jobCount: 60 });
  await running(ids);
  await control('background/terminate', { which: 'worker', signal: 'SIGKILL' });
  await control('background/start', { which: 'worker' });
  const done = await allDone(ids, 25_000);
  expect(new Set(done.map(({ id }) => id)).size).toBe(60);
  // Those that it had begun, and only those, began twice.
  const counts = new Set(done.map(({ attempts }) => attempts));
  expect([...counts].toSorted()).toEqual([1, 2]);
});

test('what a job writes in the transaction that completes it is there once, however often the worker is killed', async () => {
  const { token } = await signUpInTenant();
  await expectJson(request('/projects', { as: token, json: { name: 'Apollo' } }), 201);
  for (let round = 0; round < 2; round += 1) {
    const asked = await Promise.all(Array.from({ length: 10 }, () => requestExport(token)));
    await control('background/terminate', { which: 'worker', signal: 'SIGKILL' });
    await control('background/start', { which: 'worker' });
    for (const { id } of asked)
      expect(await exportOnceReady(token, id)).toMatchObject({ state: 'ready', projectCount: 1 });
  }
});

// Where the worker is the app itself nobody else could have taken its jobs: the package shows it for two in one process.
if (isApart)
  test('a worker that comes back too late cannot complete a job that it lost', async () => {
    const ms = 6000;
    const [id] = (await enqueueWork({ ms })) as [string];
    await running([id]);
    const beganMs = performance.now();
    await control('background/signal', { which: 'worker', signal: 'SIGSTOP' });
    await control('background/start', { which: 'second worker' });
    onTestFinished(async () => {
      await control('background/terminate', { which: 'second worker', signal: 'SIGKILL' });
    });
    await waitFor('the second worker to take it', 15_000, async () =>
      (await readJob(id)).attempts === 2 ? true : undefined,
    );
    // What the first had to do is over as soon as it goes on, while the second is still at it.
    await waitFor('the time of the first attempt', 15_000, async () =>
      performance.now() - beganMs > ms ? true : undefined,
    );
    const logged = (await control('app/log')).length;
    await control('background/signal', { which: 'worker', signal: 'SIGCONT' });
    await waitFor('the first worker to hear that it is late', 5000, async () =>
      (await control('app/log')).slice(logged).includes(id) ? true : undefined,
    );
    expect(await readJob(id)).toMatchObject({ state: 'running', attempts: 2 });
    const [done] = await allDone([id]);
    expect(done).toMatchObject({ attempts: 2, result: { attempt: 2 } });
  });
