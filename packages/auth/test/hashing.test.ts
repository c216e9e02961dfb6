import type { Trx } from '@svc/db';
import { describe, expect, test } from 'vitest';
import { createPasswordHasher, type PasswordAlgorithm } from '../src/passwords/password-hasher.ts';
import { codeOf, tally } from './open-auth.ts';

describe('hashing', () => {
  test('the default is argon2id with 19456 KiB, 2 passes, 1 lane, as a PHC string', async () => {
    const hasher = createPasswordHasher();
    const phc = await hasher.hash('correct horse battery staple');
    expect(phc).toMatch(
      /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
    );
    expect(hasher.isOutdated(phc)).toBe(false);
    expect(await hasher.verify(phc, 'correct horse battery staple')).toBe(true);
    expect(await hasher.verify(phc, 'correct horse battery stapl')).toBe(false);
  });

  test('a PHC string of the reference implementation is understood, and known to be of other parameters', async () => {
    // argon2 of the reference implementation's own tests: password, somesalt, t=2, m=2^16, p=1.
    const phc =
      '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    const hasher = createPasswordHasher();
    expect(await hasher.verify(phc, 'password')).toBe(true);
    expect(hasher.isOutdated(phc)).toBe(true);
  });

  test('without a PHC string the answer is no, after a check with the same parameters', async () => {
    const checked: string[] = [];
    const hasher = createPasswordHasher({
      algorithm: {
        hash: async () => '',
        verify: async (phc) => {
          checked.push(phc);
          return true;
        },
      },
    });
    expect(await hasher.verify(null, 'anything')).toBe(false);
    expect(checked).toEqual([
      expect.stringMatching(
        /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/,
      ),
    ]);
    expect(
      await createPasswordHasher({ memoryKib: 64, iterations: 1 }).verify(null, 'anything'),
    ).toBe(false);
  });

  test('as many run as may, as many wait as may, the next is refused, and all who waited are served in order', async () => {
    const gate = heldAlgorithm();
    const hasher = createPasswordHasher({
      maxRunning: 4,
      maxWaiting: 64,
      algorithm: gate.algorithm,
    });
    const hashes = Array.from({ length: 68 }, (_, index) => hasher.hash(String(index)));
    const refused = await hasher.hash('one too many').catch((error: unknown) => error);
    expect(refused).toMatchObject({
      code: 'auth.busy',
      kind: 'unavailable',
      details: { retryAfterSeconds: 1 },
    });
    expect(await codeOf(hasher.verify(null, 'one too many'))).toBe('auth.busy');
    expect(gate.begun).toEqual(['0', '1', '2', '3']);
    gate.open();
    expect(await tally(hashes)).toEqual({ fulfilled: 68, codes: [] });
    expect(gate.most).toBe(4);
    expect(gate.begun).toEqual(Array.from({ length: 68 }, (_, index) => String(index)));
    await hasher.hash('there is room again');
  });

  test('who waits has not looked anything up, and who is refused never does', async () => {
    const gate = heldAlgorithm();
    const hasher = createPasswordHasher({
      maxRunning: 2,
      maxWaiting: 3,
      algorithm: gate.algorithm,
    });
    const lookedUp: number[] = [];
    const check = (index: number) =>
      hasher.verify(async () => (lookedUp.push(index), '$argon2id$'), 'x');
    const checks = Array.from({ length: 5 }, (_, index) => check(index));
    expect(await codeOf(check(5))).toBe('auth.busy');
    expect(lookedUp).toEqual([0, 1]);
    gate.open();
    expect(await Promise.all(checks)).toEqual([true, true, true, true, true]);
    expect(lookedUp).toEqual([0, 1, 2, 3, 4]);
    expect(gate.most).toBe(2);
  });

  test('a look-up that fails gives its place back', async () => {
    const hasher = createPasswordHasher({ maxRunning: 1, maxWaiting: 0, memoryKib: 8 });
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const check = hasher.verify(() => Promise.reject(new Error('no connection')), 'x');
      await expect(check).rejects.toThrow('no connection');
    }
  });

  test('within a transaction nobody waits for those who look up', async () => {
    const gate = heldAlgorithm();
    gate.open();
    const hasher = createPasswordHasher({
      maxRunning: 2,
      maxWaiting: 3,
      algorithm: gate.algorithm,
    });
    let free = () => {};
    const connection = new Promise<null>((resolve) => (free = () => resolve(null)));
    const waiting = Array.from({ length: 5 }, () => hasher.verify(() => connection, 'x'));
    const within = {} as Trx;
    await Promise.all(Array.from({ length: 5 }, () => hasher.hash('y', { within })));
    free();
    await Promise.all(waiting);
  });

  test('no more run than may, of both kinds together', async () => {
    const gate = heldAlgorithm();
    const hasher = createPasswordHasher({
      maxRunning: 2,
      maxWaiting: 8,
      algorithm: gate.algorithm,
    });
    const within = {} as Trx;
    const hashes = Array.from({ length: 20 }, (_, index) =>
      hasher.hash(String(index), index % 2 === 0 ? { within } : {}),
    );
    await new Promise((resolve) => setImmediate(resolve));
    expect(gate.begun).toHaveLength(2);
    gate.open();
    expect(await tally(hashes)).toEqual({ fulfilled: 20, codes: [] });
    expect(gate.most).toBe(2);
  });

  test('a hash that fails gives its place back', async () => {
    const algorithm: PasswordAlgorithm = {
      hash: () => Promise.reject(new Error('out of memory')),
      verify: async () => true,
    };
    const hasher = createPasswordHasher({ maxRunning: 1, maxWaiting: 0, algorithm });
    for (let attempt = 0; attempt < 3; attempt += 1)
      await expect(hasher.hash('x')).rejects.toThrow('out of memory');
  });
});

/** Hashes that end when the gate is opened. */
function heldAlgorithm() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  let running = 0;
  const gate = {
    begun: [] as string[],
    most: 0,
    open: () => open(),
    algorithm: {
      async hash(password) {
        gate.begun.push(password);
        gate.most = Math.max(gate.most, ++running);
        await opened;
        running -= 1;
        return '';
      },
      async verify(_, password) {
        await gate.algorithm.hash(password);
        return true;
      },
    } satisfies PasswordAlgorithm,
  };
  return gate;
}
