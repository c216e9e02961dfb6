import { afterEach, describe, expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { control, expectJson, expectProblem, request, signUpInTenant } from './client.ts';

const create = (as: string, key: string, name = 'Apollo') =>
  request('/projects', { as, json: { name }, headers: { 'idempotency-key': key } });
const list = async (as: string) =>
  (await expectJson<{ items: { id: string }[] }>(request('/projects', { as }))).items;

test('a repeat gets the answer of the first, byte by byte, and makes nothing', async () => {
  const { token } = await signUpInTenant();
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
  const { token } = await signUpInTenant();
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
  const { token } = await signUpInTenant();
  const key = crypto.randomUUID();
  await expectProblem(await create(token, key, ''), 400);
  expect((await create(token, key, '')).status).toBe(400);
  expect((await create(token, key, 'Apollo')).status).toBe(201);
});

test('a key that is none is refused, and without a key each request is one of its own', async () => {
  const { token } = await signUpInTenant();
  for (const key of ['', 'x'.repeat(256), '"open'])
    await expectProblem(await create(token, key), 400, 'idempotency.key_invalid');
  for (let round = 0; round < 2; round += 1)
    expect((await request('/projects', { as: token, json: { name: 'x' } })).status).toBe(201);
  expect(await list(token)).toHaveLength(2);
});

test('the document says which operations take a key', async () => {
  const { paths } = await expectJson<{
    paths: Record<string, Record<string, { parameters?: { name: string }[]; responses: object }>>;
  }>(request('/openapi.json'));
  const takes = (path: string, method: string) =>
    paths[path]?.[method]?.parameters?.some(({ name }) => name === 'Idempotency-Key') === true;
  expect(takes('/projects', 'post')).toBe(true);
  expect(takes('/projects', 'get')).toBe(false);
  expect(takes('/auth/login', 'post')).toBe(false);
  expect(paths['/projects']?.['post']?.responses).toHaveProperty('409');
});

describe('when the app is killed', () => {
  afterEach(async () => {
    const isUp = await request('/healthz').then(
      () => true,
      () => false,
    );
    if (!isUp) await control('app/start', {});
  });

  const kill = () => control('app/terminate', { signal: 'SIGKILL' });
  /** Sends the same again to a new process, and says what it answered and how many projects there are. */
  const retry = async (as: string, key: string, name: string) => {
    await control('app/start', {});
    const startedAt = performance.now();
    const answer = await create(as, key, name);
    // The documented time after which a killed execution keeps its key no more.
    expect(performance.now() - startedAt).toBeLessThan(30_000);
    expect(answer.status).toBe(201);
    const body = await answer.text();
    const items = await list(as);
    expect(items.map(({ id }) => id)).toEqual([(JSON.parse(body) as { id: string }).id]);
    return { body, isReplayed: answer.headers.get('idempotency-replayed') === 'true' };
  };

  test('in the middle, nothing of it is left, and the retry makes one project', async () => {
    const { token } = await signUpInTenant();
    const key = crypto.randomUUID();
    const name = `held ${key}`;
    expect((await request('/_acceptance/holds', { json: { name } })).status).toBe(200);
    const lost = create(token, key, name).catch(() => 'lost');
    await waitFor('the project to be written, and not committed', 5000, async () => {
      const holds = await expectJson<Record<string, string>>(request('/_acceptance/holds'));
      return holds[name] === 'held' ? true : undefined;
    });
    await kill();
    expect(await lost).toBe('lost');
    // The next process was told to hold nothing.
    expect(await retry(token, key, name)).toMatchObject({ isReplayed: false });
  });

  test('after the answer, the retry gets it from the next process, byte by byte', async () => {
    const { token } = await signUpInTenant();
    const key = crypto.randomUUID();
    const first = await create(token, key);
    await kill();
    const { body, isReplayed } = await retry(token, key, 'Apollo');
    expect([body, isReplayed]).toEqual([await first.text(), true]);
  });

  test.each([0, 5, 15])('%i ms after the request was sent, there is one project', async (ms) => {
    const { token } = await signUpInTenant();
    const key = crypto.randomUUID();
    const sent = create(token, key).catch(() => undefined);
    // Any moment will do, and each is another.
    await new Promise((resolve) => setTimeout(resolve, ms));
    await kill();
    await sent;
    await retry(token, key, 'Apollo');
  });
});
