import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectProblem, request, signUpInTenant } from './client.ts';
import { allDone, enqueueWork } from './jobs.ts';

const status = async (path: string) => (await request(path)).status;
const ready = async () => (await (await request('/readyz')).json()) as { status: string };

const settled = () =>
  waitFor('readiness', 10_000, async () => ((await ready()).status === 'ok' ? true : undefined));

// Whatever a check found, those after it need both servers.
afterEach(async () => {
  await control('postgres/start');
  await control('redis/start');
  await settled();
});

test('while PostgreSQL is away, liveness stays up, readiness is down and requests get a clean 503', async () => {
  const { token } = await signUpInTenant();
  await control('postgres/stop');
  await waitFor('readiness to go down', 5000, async () =>
    (await status('/readyz')) === 503 ? true : undefined,
  );
  for (let round = 0; round < 5; round += 1) {
    expect(await status('/healthz')).toBe(200);
    await expectProblem(await request('/projects', { as: token }), 503);
  }
  await control('postgres/start');
  await waitFor('readiness to come back', 5000, async () =>
    (await status('/readyz')) === 200 ? true : undefined,
  );
  expect(await status('/projects')).toBe(401);
  expect((await request('/projects', { as: token })).status).toBe(200);
});

test('jobs that ran while PostgreSQL went away run when it is back, in the worker that was there', async () => {
  const ids = await enqueueWork({ ms: 300, jobCount: 30 });
  await control('postgres/stop');
  await waitFor('readiness to go down', 5000, async () =>
    (await status('/readyz')) === 503 ? true : undefined,
  );
  await control('postgres/start');
  await settled();
  await allDone(ids);
  await allDone(await enqueueWork({}));
});

test('while Redis is away, readiness is degraded and 200, and sign-in goes on', async () => {
  await control('redis/stop');
  await waitFor('readiness to be degraded', 5000, async () =>
    (await ready()).status === 'degraded' ? true : undefined,
  );
  expect(await status('/readyz')).toBe(200);
  await signUpInTenant();
  await control('redis/start');
  await waitFor('readiness to be whole again', 5000, async () =>
    (await ready()).status === 'ok' ? true : undefined,
  );
});
