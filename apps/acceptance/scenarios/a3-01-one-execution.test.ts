import { expect, test } from 'vitest';
import { expectJson, expectProblem, request, signUp } from './client.ts';

const create = (as: string, key: string, name = 'Apollo') =>
  request('/projects', { as, json: { name }, headers: { 'idempotency-key': key } });
const list = async (as: string) =>
  (await expectJson<{ items: { id: string }[] }>(request('/projects', { as }))).items;

test('a repeat gets the answer of the first, byte by byte, and makes nothing', async () => {
  const { token } = await signUp();
  const key = crypto.randomUUID();
  const first = await create(token, key);
  // With quotes, as the draft has it, it is the same key.
  const repeat = await create(token, `"${key}"`);
  expect([first.status, repeat.status]).toEqual([201, 201]);
  expect(await repeat.text()).toBe(await first.text());
  for (const name of ['location', 'etag', 'content-type'])
    expect(repeat.headers.get(name)).toBe(first.headers.get(name));
  expect(first.headers.get('idempotency-replayed')).toBeNull();
  expect(repeat.headers.get('idempotency-replayed')).toBe('true');
  expect(await list(token)).toHaveLength(1);
});

test('of 64 at once one is executed, and all get its answer', async () => {
  const { token } = await signUp();
  const key = crypto.randomUUID();
  const answers = await Promise.all(Array.from({ length: 64 }, () => create(token, key)));
  const bodies = await Promise.all(answers.map((answer) => answer.text()));
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
  expect(new Set(bodies).size).toBe(1);
  const replayed = answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true');
  expect(replayed).toHaveLength(63);
  expect(await list(token)).toHaveLength(1);
});

test('what was refused is not kept: with the same key it may be sent rightly', async () => {
  const { token } = await signUp();
  const key = crypto.randomUUID();
  await expectProblem(await create(token, key, ''), 400);
  expect((await create(token, key, '')).status).toBe(400);
  expect((await create(token, key, 'Apollo')).status).toBe(201);
});

test('a key that is none is refused, and without a key each request is one of its own', async () => {
  const { token } = await signUp();
  for (const key of ['', 'x'.repeat(256), '"open'])
    await expectProblem(await create(token, key), 400, 'idempotency.key_invalid');
  for (let round = 0; round < 2; round += 1)
    expect((await request('/projects', { as: token, json: { name: 'x' } })).status).toBe(201);
  expect(await list(token)).toHaveLength(2);
});
