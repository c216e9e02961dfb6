import { expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import { anyAddress, expectProblem, newAddress, request, signUp } from './client.ts';

// As the gate sets them: 4 wrong ones free per pair, 6 per account, 20 per address; waits of 1 s, 2 s, at most 4 s.
const [pairFree, accountFree, addressFree, firstWaitMs] = [4, 6, 20, 1000];

const login = (email: string, password: string, from: string, cookie?: string) =>
  request('/auth/login', {
    json: { email, password },
    from,
    ...(cookie !== undefined && { headers: { cookie } }),
  });

/** Wrong passwords, one after the other, each refused like any other. */
async function guess(email: string, times: number, from: () => string): Promise<void> {
  for (let attempt = 0; attempt < times; attempt += 1)
    await expectProblem(
      await login(email, `wrong password ${attempt}`, from()),
      401,
      'auth.invalid_credentials',
    );
}

const headersOf = (answer: Response) =>
  [...answer.headers].filter(([name]) => !['date', 'x-request-id', 'ratelimit'].includes(name));

/** When the right password is let in again, in milliseconds from `startedAt`. */
function letInAfter(email: string, password: string, from: string, startedAt: number) {
  return waitFor('the lock to end', 10_000, async () =>
    (await login(email, password, from)).status === 200 ? performance.now() - startedAt : undefined,
  );
}

test('after a few wrong passwords the right one is refused too, with the same answer', async () => {
  const { email, password } = await signUp();
  const from = anyAddress();
  await guess(email, pairFree, () => from);
  expect((await login(email, password, from)).status).toBe(200);
  await guess(email, pairFree + 1, () => from);
  const whileLocked = await login(email, password, from);
  const wrong = await login(newAddress(), 'wrong password', anyAddress());
  expect(headersOf(whileLocked)).toEqual(headersOf(wrong));
  const [a, b] = [await expectProblem(whileLocked, 401), await expectProblem(wrong, 401)];
  expect({ ...a, request_id: '', instance: '' }).toEqual({ ...b, request_id: '', instance: '' });
  // Another address may go on: the lock was of the pair.
  expect((await login(email, password, anyAddress())).status).toBe(200);
});

test('the wait ends by itself, and trying again meanwhile does not prolong it', async () => {
  const { email, password } = await signUp();
  const from = anyAddress();
  await guess(email, pairFree + 1, () => from);
  const lockedAt = performance.now();
  while (performance.now() - lockedAt < firstWaitMs / 2)
    await login(email, 'wrong again and again', from);
  const waited = await letInAfter(email, password, from, lockedAt);
  expect(waited).toBeGreaterThan(firstWaitMs * 0.7);
  expect(waited).toBeLessThan(firstWaitMs * 1.9);
});

test('each further failure doubles the wait', async () => {
  const [owner, clock] = [await signUp(), await signUp()];
  const from = anyAddress();
  await guess(owner.email, pairFree + 1, () => from);
  // Locked after the owner, so when this one is let in, the owner's first wait is over.
  const other = anyAddress();
  await guess(clock.email, pairFree + 1, () => other);
  await letInAfter(clock.email, clock.password, other, performance.now());
  await guess(owner.email, 1, () => from);
  const waited = await letInAfter(owner.email, owner.password, from, performance.now());
  expect(waited).toBeGreaterThan(firstWaitMs * 1.5);
  expect(waited).toBeLessThan(firstWaitMs * 3);
});

test('guesses from everywhere lock the account for strangers, and not for its owner in a known browser', async () => {
  const [owner, other] = [await signUp(), await signUp()];
  const deviceOf = async ({ email, password }: { email: string; password: string }) => {
    const answer = await login(email, password, anyAddress());
    return /__Host-device=[^;]+/.exec(answer.headers.get('set-cookie') ?? '')?.[0] as string;
  };
  const [device, notTheirs] = [await deviceOf(owner), await deviceOf(other)];
  expect([device, notTheirs]).toEqual([expect.any(String), expect.any(String)]);
  const { email, password } = owner;
  await guess(email, accountFree + 1, anyAddress);
  // All at once, while the lock lasts.
  const [stranger, theirs, known] = await Promise.all([
    login(email, password, anyAddress()),
    login(email, password, anyAddress(), notTheirs),
    login(email, password, anyAddress(), device),
  ]);
  await expectProblem(stranger, 401, 'auth.invalid_credentials');
  await expectProblem(theirs, 401, 'auth.invalid_credentials');
  expect(known.status).toBe(200);
});

test('one address that tries many accounts is refused for all of them, others are not', async () => {
  const { email, password } = await signUp();
  const from = anyAddress();
  for (let attempt = 0; attempt <= addressFree; attempt += 1)
    await expectProblem(await login(newAddress(), 'wrong password', from), 401);
  await expectProblem(await login(email, password, from), 401, 'auth.invalid_credentials');
  expect((await login(email, password, anyAddress())).status).toBe(200);
  const startedAt = performance.now();
  expect(await letInAfter(email, password, from, startedAt)).toBeLessThan(4 * firstWaitMs);
});
