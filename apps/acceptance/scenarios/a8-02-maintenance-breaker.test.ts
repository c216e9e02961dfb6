import { afterEach, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, expectProblem, request, signUpInTenant } from './client.ts';

const newPath = () => `/${crypto.randomUUID()}`;
const callUpstream = (path: string) =>
  request(`/_acceptance/upstream?breaker=${path.slice(1)}&path=${path}`);
const calls = async (path: string) => (await control('hooks/received', { path, count: 0 })).length;

test('a breaker trips on a service that fails, calls it no more, and recovers with it', async () => {
  const path = newPath();
  expect(await expectJson(callUpstream(path))).toEqual({ status: 200, breaker: 'closed' });
  await control('hooks/answer', { path, answers: [{ status: 500 }] });
  for (let failure = 0; failure < 3; failure += 1)
    await expectProblem(await callUpstream(path), 502, 'http.upstream_unreachable');
  const before = await calls(path);
  const refused = await callUpstream(path);
  expect(refused.headers.get('retry-after')).toBe('1');
  await expectProblem(refused, 503, 'http.circuit_open');
  expect(await calls(path)).toBe(before);
  // One is let through, fails, and it stays open: the service is spared still.
  await waitFor('somebody to look', 5000, async () =>
    (await callUpstream(path)).status === 502 ? true : undefined,
  );
  await expectProblem(await callUpstream(path), 503, 'http.circuit_open');
  await control('hooks/answer', { path, answers: [{ status: 200 }] });
  const recovered = await waitFor('the breaker to close', 5000, async () => {
    const answer = await callUpstream(path);
    return answer.status === 200 ? answer : undefined;
  });
  expect(await expectJson(recovered)).toEqual({ status: 200, breaker: 'closed' });
  const all = await Promise.all(Array.from({ length: 10 }, () => callUpstream(path)));
  expect(all.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
});

test('a service that does not answer is given up with 504, and trips the breaker as well', async () => {
  const path = newPath();
  await control('hooks/answer', { path, answers: [{ status: 200, hold: true }] });
  for (let failure = 0; failure < 3; failure += 1)
    await expectProblem(await callUpstream(path), 504, 'http.call_timeout');
  await expectProblem(await callUpstream(path), 503, 'http.circuit_open');
  await control('hooks/release', { path });
});

test('the breaker of one service leaves calls to others alone', async () => {
  const [ill, well] = [newPath(), newPath()];
  await control('hooks/answer', { path: ill, answers: [{ status: 503 }] });
  for (let failure = 0; failure < 4; failure += 1) await callUpstream(ill);
  await expectProblem(await callUpstream(ill), 503, 'http.circuit_open');
  expect((await callUpstream(well)).status).toBe(200);
});

const shut = (path: string, more: object = {}) =>
  expectJson(request('/_acceptance/maintenance', { method: 'PUT', json: { path, ...more } }));
// A path that nobody else asks for, so that other scenarios go on.
const path = '/webhooks/event-types';
afterEach(() => request(`/_acceptance/maintenance?path=${path}`, { method: 'DELETE' }));

test('what is under maintenance answers 503 and says when to come back; all else goes on', async () => {
  const { token: as } = await signUpInTenant();
  expect((await request(path, { as })).status).toBe(200);
  await shut(path, { retryAfterSeconds: 77 });
  const refused = await request(path, { as });
  expect(refused.headers.get('retry-after')).toBe('77');
  await expectProblem(refused, 503, 'http.under_maintenance');
  expect((await request('/projects', { as })).status).toBe(200);
  expect((await request('/readyz')).status).toBe(200);
  await request(`/_acceptance/maintenance?path=${path}`, { method: 'DELETE' });
  expect((await request(path, { as })).status).toBe(200);
});

test('where it is for writing only, reading goes on', async () => {
  const { token: as } = await signUpInTenant();
  await shut(path, { readOnly: true });
  expect((await request(path, { as })).status).toBe(200);
});
