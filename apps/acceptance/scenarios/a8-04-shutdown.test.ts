import { afterEach, expect, test } from 'vitest';
import { control, request } from './client.ts';

afterEach(async () => {
  if (!(await answers())) await control('app/start');
});

const answers = () =>
  request('/healthz').then(
    (answer) => answer.ok,
    () => false,
  );

test('on SIGTERM requests in flight finish, no new ones are taken, and the exit code is 0', async () => {
  const inFlight = Promise.all(
    Array.from({ length: 5 }, () =>
      request('/_acceptance/slow?ms=700').then((answer) => answer.status),
    ),
  );
  // The requests must have reached the server before the signal does.
  await request('/ping');
  await new Promise((resolve) => setTimeout(resolve, 150));
  const ended = control('app/terminate', { signal: 'SIGTERM' });
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(
    await request('/ping').then(
      (answer) => answer.status,
      () => 'refused',
    ),
  ).toSatisfy((now) => now === 'refused' || now === 503);
  expect(await inFlight).toEqual([200, 200, 200, 200, 200]);
  const { exitCode, tookMs } = await ended;
  expect(exitCode).toBe(0);
  expect(tookMs).toBeLessThan(5000);
});

test('a restarted app goes on with the data it had', async () => {
  await control('app/terminate', { signal: 'SIGTERM' });
  await control('app/start');
  expect((await request('/readyz')).status).toBe(200);
});
