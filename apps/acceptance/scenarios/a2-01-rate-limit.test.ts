import { expect, test } from 'vitest';
import { anyAddress, expectProblem, request } from './client.ts';

// As the gate sets it: 200 requests in 2 s from one address.
const quota = 200;

/** Ten at once. */
async function inTens(count: number, send: (index: number) => Promise<Response>) {
  const answers: Response[] = [];
  while (answers.length < count) {
    const ten = Array.from({ length: 10 }, (_, index) => send(answers.length + index));
    answers.push(...(await Promise.all(ten)));
  }
  return answers;
}

test('beyond the limit an address gets 429 with all a client needs, and others are not touched', async () => {
  const from = anyAddress();
  const first = await request('/ping', { from });
  expect(first.headers.get('ratelimit-policy')).toMatch(/^"address";q=200;w=2$/);
  expect(first.headers.get('ratelimit')).toMatch(/^"address";r=\d+;t=\d+$/);
  const answers = await inTens(quota + 50, () => request('/ping', { from }));
  const refused = answers.filter(({ status }) => status === 429);
  expect(answers.filter(({ status }) => status === 200).length + 1).toBeLessThanOrEqual(quota);
  expect(refused.length).toBeGreaterThanOrEqual(50);
  const [one] = refused as [Response, ...Response[]];
  expect(Number(one.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  expect(one.headers.get('ratelimit')).toMatch(/^"address";r=0;t=\d+$/);
  await expectProblem(one, 429, 'ratelimit.exceeded');
  expect((await request('/ping', { from: anyAddress() })).status).toBe(200);
});

test('no header or path that a client makes up is another bucket, and probes are always answered', async () => {
  const from = anyAddress();
  await inTens(quota, (index) =>
    request(`/nothing-${index}`, {
      from,
      headers: { 'x-real-ip': anyAddress(), 'user-agent': `agent ${index}` },
    }),
  );
  const headers = { 'x-real-ip': anyAddress(), forwarded: `for=${anyAddress()}` };
  await expectProblem(await request('/ping', { from, headers }), 429, 'ratelimit.exceeded');
  expect((await request('/healthz', { from })).status).toBe(200);
});
