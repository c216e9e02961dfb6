import { type Db, transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { argon2id, type PasswordAlgorithm } from '../src/passwords/password-hasher.ts';
import { fastHashing } from '../src/testing.ts';
import { codeOf, openAuth, password, someone, tally } from './open-auth.ts';

const test = databaseTest([authMigrations]);

test('a login that waits to be hashed asks the database nothing, nor does one that is refused', async ({
  db,
}) => {
  const hashing = { ...fastHashing, maxRunning: 2, maxWaiting: 20, algorithm: heldAlgorithm() };
  const { counted, lookUps } = countingLookUps(db);
  const { auth, member } = openAuth(counted, { hashing });
  const email = await member();
  await auth.stop();
  lookUps.splice(0);
  hashing.algorithm.hold();
  const logins = Array.from({ length: 22 }, () => auth.login({ email, password }));
  expect(await codeOf(auth.login({ email, password }))).toBe('auth.busy');
  expect(await codeOf(auth.login({ email: someone(), password }))).toBe('auth.busy');
  await expect.poll(() => hashing.algorithm.held).toBe(2);
  expect(lookUps).toHaveLength(2);
  hashing.algorithm.open();
  expect(await tally(logins)).toEqual({ fulfilled: 22, codes: [] });
  expect(lookUps).toHaveLength(22);
});

// PGlite has one connection: its holder and those who have a place to hash would else wait for each other.
const onPglite = databaseTest([authMigrations], { engine: 'pglite' });
onPglite(
  'a transaction that signs in is not held up by logins that wait for its connection',
  async ({ db }) => {
    const { auth, member } = openAuth(db, { hashing: { ...fastHashing, maxRunning: 1 } });
    const email = await member();
    await auth.stop();
    const [inside, waiting] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const done = transact(db, async (within) => {
      inside.resolve();
      await waiting.promise;
      await auth.login({ email, password }, { within });
      await auth.register({ email: someone(), password }, { within });
    });
    await inside.promise;
    const others = Array.from({ length: 15 }, () => auth.login({ email, password }));
    await new Promise((resolve) => setImmediate(resolve));
    waiting.resolve();
    await done;
    expect(await tally(others)).toEqual({ fulfilled: 15, codes: [] });
    await auth.stop();
  },
);

/** The same database; notes each look-up of a login. */
function countingLookUps(db: Db): { counted: Db; lookUps: string[] } {
  const lookUps: string[] = [];
  const counted = db.withPlugin({
    transformQuery: ({ node }) => {
      if (JSON.stringify(node).includes('pending_password') && node.kind === 'SelectQueryNode')
        lookUps.push(node.kind);
      return node;
    },
    transformResult: async ({ result }) => result,
  });
  return { counted, lookUps };
}

/** argon2id that can be made to wait before it checks. */
function heldAlgorithm() {
  let opened = Promise.resolve();
  let open = () => {};
  const algorithm = {
    held: 0,
    hold: () => void (opened = new Promise((resolve) => (open = resolve))),
    open: () => open(),
    hash: argon2id.hash,
    async verify(phc, password) {
      algorithm.held += 1;
      await opened;
      return argon2id.verify(phc, password);
    },
  } satisfies PasswordAlgorithm & Record<string, unknown>;
  return algorithm;
}
