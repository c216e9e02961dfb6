import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, request, signUp } from './client.ts';
import { allDone, enqueueWork, seenJobs } from './jobs.ts';

afterEach(async () => {
  if (!(await answers())) await control('app/start', {});
});

const answers = () =>
  request('/healthz').then(
    (answer) => answer.ok,
    () => false,
  );

test('on SIGTERM readiness goes off, requests in flight finish, no new ones are taken, the exit code is 0, and a new start has the data', async () => {
  const { token } = await signUp();
  const inFlight = Array.from({ length: 5 }, () => request('/_acceptance/slow?ms=1000'));
  // Answered after the five have reached the server: the app is one process.
  await request('/ping');
  const ended = control('app/terminate', { signal: 'SIGTERM' });
  await waitFor('readiness to go off', 2000, async () =>
    (await request('/readyz')).status === 503 ? true : undefined,
  );
  expect((await request('/healthz')).status).toBe(200);
  await waitFor('new requests to be refused', 5000, async () =>
    (await answers()) ? undefined : true,
  );
  const statuses = (await Promise.all(inFlight)).map((answer) => answer.status);
  expect(statuses).toEqual([200, 200, 200, 200, 200]);
  const { exitCode, tookMs } = await ended;
  expect(exitCode).toBe(0);
  expect(tookMs).toBeLessThan(5000);
  await control('app/start', {});
  expect((await request('/auth/me', { as: token })).status).toBe(200);
});

test('on SIGTERM a job that takes longer than the grace is handed back, and that attempt does not count', async () => {
  await control('background/terminate', { which: 'worker', signal: 'SIGTERM' });
  const environment = { SHUTDOWN_GRACE_MS: '200' };
  await control('background/start', { which: 'worker', environment });
  const [id] = (await enqueueWork({ ms: 6000 })) as [string];
  await waitFor('it to be running', 10_000, async () =>
    (await seenJobs('running')).some((job) => job.id === id) ? true : undefined,
  );
  const ended = await control('background/terminate', { which: 'worker', signal: 'SIGTERM' });
  expect(ended.exitCode).toBe(0);
  expect(ended.tookMs).toBeLessThan(5000);
  await control('background/start', { which: 'worker' });
  expect(await allDone([id])).toMatchObject([{ attempts: 1, result: { attempt: 1 } }]);
});
