import type { Cipher } from '@svc/core';
import { setImmediate } from 'node:timers/promises';
import { recordEvents, recordingLogger, testClock } from '@svc/core/testing';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { signingKeyPublished } from '../src/tokens.ts';
import { codeOf, tally } from './open-auth.ts';
import { audience, kidOf, openCipher, openTokens } from './open-tokens.ts';

const test = databaseTest([authMigrations]);

test('two hours and more before a key signs, it is published', async ({ db }) => {
  const { tokens, clock, kids, another } = openTokens(db, { rotateEvery: '10d' });
  const published = await kids(tokens);
  expect(published).toHaveLength(2);
  const first = kidOf(await tokens.issue({ subject: 'orders', audience }));
  expect(first).toBe(published[0]);
  await clock.advance('863999s');
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).toBe(published[0]);
  await clock.advance('1s');
  // No process has to do anything for that.
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).toBe(published[1]);
  // Nor does a very late rotation use a key that nobody knows.
  await clock.advance('30d');
  expect(await another().rotate()).toBe(true);
  const late = await kids();
  expect(late).toHaveLength(2);
  await clock.advance('7199s');
  expect(kidOf(await another().issue({ subject: 'orders', audience }))).toBe(published[1]);
  await clock.advance('1s');
  expect(kidOf(await another().issue({ subject: 'orders', audience }))).toBe(late[1]);
});

test('after a rotation, tokens of the former key are accepted until they expire, and then the key is gone', async ({
  db,
}) => {
  const { tokens, clock, kids, another } = openTokens(db, { ttl: '1h' });
  await tokens.start();
  await clock.advance('3h');
  const token = await tokens.issue({ subject: 'orders', audience });
  expect(await tokens.rotate()).toBe(true);
  const newer = await tokens.issue({ subject: 'orders', audience });
  expect(kidOf(newer)).not.toBe(kidOf(token));
  expect(await kids(tokens)).toHaveLength(3);
  await clock.advance('1h');
  for (const each of [tokens, another()])
    expect((await each.verify(token, { audience })).sub).toBe('orders');
  await clock.advance('10m');
  expect(await kids(tokens)).not.toContain(kidOf(token));
  await tokens.stop();
  const next = another();
  await next.start();
  await next.stop();
  const { rows } = await sql`select from svc_auth.signing_keys where id = ${kidOf(token)}`.execute(
    db,
  );
  expect(rows).toHaveLength(0);
});

describeDatabases('rotation', [authMigrations], (test) => {
  test('a second rotation waits until the next key is known to receivers', async ({ db }) => {
    const { tokens, clock, kids } = openTokens(db);
    await kids(tokens);
    expect(await tokens.rotate()).toBe(false);
    await clock.advance('2h');
    expect(await tokens.rotate()).toBe(true);
    expect(await tokens.rotate()).toBe(false);
    expect(await kids(tokens)).toHaveLength(3);
  });
});

test('whose keys were deleted, signs with new ones after a minute, and accepts no former token', async ({
  db,
}) => {
  const { tokens, clock, issuer, kids } = openTokens(db);
  const token = await tokens.issue({ subject: 'orders', audience });
  await sql`delete from svc_auth.signing_keys where issuer = ${issuer}`.execute(db);
  await clock.advance('1m');
  expect(await codeOf(tokens.verify(token, { audience }))).toBe('auth.invalid_bearer_token');
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).not.toBe(kidOf(token));
  expect(await kids()).toHaveLength(2);
});

test('50 processes that rotate at once make one key, asked to or because it is due', async ({
  db,
}) => {
  const { another, clock, kids } = openTokens(db);
  using seen = recordEvents(signingKeyPublished);
  const fifty = () => Array.from({ length: 50 }, another);
  await kids();
  await clock.advance('2h');
  const asked = await Promise.all(fifty().map((each) => each.rotate()));
  expect(asked.filter(Boolean)).toHaveLength(1);
  expect(await kids()).toHaveLength(3);
  await clock.advance('30d');
  const due = fifty();
  await Promise.all(due.map((each) => each.start()));
  await Promise.all(due.map((each) => each.stop()));
  expect(seen.events).toHaveLength(4);
  expect(await kids()).toHaveLength(3);
});

test('50 processes that issue their first token at once agree on one key', async ({ db }) => {
  const { another, kids } = openTokens(db);
  const processes = Array.from({ length: 50 }, another);
  const made = await Promise.all(
    processes.map((each) => each.issue({ subject: 'orders', audience })),
  );
  expect(new Set(made.map(kidOf)).size).toBe(1);
  expect(await kids()).toHaveLength(2);
  const checks = made.map((token, index) =>
    (processes[49 - index] as (typeof processes)[0]).verify(token, { audience }),
  );
  expect(await tally(checks)).toEqual({ fulfilled: 50, codes: [] });
});

test('in the background keys rotate by themselves', async ({ db }) => {
  const clock = testClock();
  const { tokens, logger, kids, issuer } = openTokens(db, { clock, rotateEvery: '1d' });
  await tokens.start();
  await tokens.start();
  expect(clock.sleeping).toBe(1);
  const [, second] = await kids();
  const rotated = nextKeyOf(issuer);
  await clock.advance('1d');
  await rotated;
  expect(await kids()).toHaveLength(3);
  expect(kidOf(await tokens.issue({ subject: 'orders', audience }))).toBe(second);
  await tokens.stop();
  expect(clock.sleeping).toBe(0);
  expect(logger.lines).toEqual([]);
});

test('a rotation that fails is logged and tried again', async ({ db }) => {
  let broken = false;
  const inner = openCipher();
  const cipher: Cipher = {
    ...inner,
    seal(plaintext, context) {
      if (broken) throw new Error('no key');
      return inner.seal(plaintext, context);
    },
  };
  const lines = recordingLogger();
  let logged = () => {};
  const logger = {
    ...lines,
    error: (fields: object, message: string) => (lines.error(fields, message), logged()),
  };
  const { tokens, clock, issuer } = openTokens(db, { cipher, logger, rotateEvery: '1d' });
  await tokens.start();
  broken = true;
  const failed = new Promise<void>((resolve) => (logged = resolve));
  await clock.advance('1d');
  await failed;
  broken = false;
  const rotated = nextKeyOf(issuer);
  // The round that failed is on its way back to sleep.
  while (clock.sleeping === 0) await setImmediate();
  await clock.advance('15m');
  await rotated;
  await tokens.stop();
});

test('whoever starts it is told when it does not work, and may start it again', async ({ db }) => {
  const inner = openCipher();
  let broken = true;
  const seal: Cipher['seal'] = (plaintext, context) => {
    if (broken) throw new Error('no key');
    return inner.seal(plaintext, context);
  };
  const { tokens, clock } = openTokens(db, { cipher: { ...inner, seal } });
  await expect(tokens.start()).rejects.toThrow('no key');
  broken = false;
  await tokens.start();
  expect(clock.sleeping).toBe(1);
  await tokens.stop();
});

test('the database holds no private key that can be read, and no row of one place opens in another', async ({
  db,
}) => {
  const { tokens, another, cipher, issuer } = openTokens(db);
  const token = await tokens.issue({ subject: 'orders', audience });
  const { rows } = await sql<{
    line: string;
  }>`select t::text as line from svc_auth.signing_keys t`.execute(db);
  const dump = rows.map(({ line }) => line).join('\n');
  const secrets = cipher.sealed.map((text) => (JSON.parse(text) as { d: string }).d);
  expect(secrets).toHaveLength(2);
  for (const secret of secrets) expect(dump).not.toContain(secret);
  expect(dump).not.toContain(token);

  await sql`update svc_auth.signing_keys a set private_key = b.private_key
    from svc_auth.signing_keys b where a.issuer = ${issuer} and b.issuer = ${issuer} and a.id <> b.id`.execute(
    db,
  );
  await expect(another().issue({ subject: 'orders', audience })).rejects.toThrow();
});

/** Resolves when the issuer's next key is published. */
function nextKeyOf(issuer: string): Promise<void> {
  return new Promise((resolve) => {
    const unsubscribe = signingKeyPublished.subscribe(({ payload }) => {
      if (payload.issuer === issuer) resolve(unsubscribe());
    });
  });
}
