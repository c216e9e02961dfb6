import { recordEvents } from '@svc/core/testing';
import { connect, type Db, transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { describe, expect, test as pure } from 'vitest';
import {
  acted,
  type AuthAuditEvent,
  type AuthOptions,
  type Origin,
  type PasswordAlgorithm,
} from '../src/index.ts';
import { clientNetwork } from '../src/lockout/client-network.ts';
import { authMigrations } from '../src/migrations.ts';
import { argon2id } from '../src/passwords/password-hasher.ts';
import { fastHashing, signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone, tally } from './open-auth.ts';

const wrong = 'nine wrong walruses at noon';
const refused = 'auth.invalid_credentials';
const onPostgres = databaseTest([authMigrations]);

let clients = 0;
/** A client address that nobody else in this file has. */
const somewhere = (): Origin => ({ address: `192.0.2.${++clients}` });

function open(db: Db, options: Partial<AuthOptions> = {}) {
  const opened = openAuth(db, options);
  const attempt = (email: string, tried: string, origin?: Origin) =>
    opened.auth.login({ email, password: tried }, { origin });
  return {
    ...opened,
    fail: async (email: string, times: number, from?: () => Origin) => {
      for (let round = 0; round < times; round += 1) {
        expect(await codeOf(attempt(email, wrong, from?.()))).toBe(refused);
      }
    },
    /** What the right password is answered with. */
    knock: (email: string, origin?: Origin) => codeOf(attempt(email, password, origin)),
    attempt,
  };
}

describeDatabases('lockout', [authMigrations], (test) => {
  test('an account locks after its free failures, twice as long each time up to the longest wait', async ({
    db,
  }) => {
    const { member, clock, fail, knock } = open(db, {
      lockout: { account: { free: 3 }, firstWait: '30s', maxWait: '2m' },
    });
    const email = await member();
    await fail(email, 4);
    for (const seconds of [30, 60, 120, 120]) {
      await clock.advance(`${seconds - 1}s`);
      expect(await knock(email)).toBe(refused);
      await clock.advance('1s');
      await fail(email, 1);
    }
    await clock.advance('2m');
    expect(await knock(email)).toBe('no failure');
    await fail(email, 3);
    expect(await knock(email)).toBe('no failure');
  });

  test('a locked client address costs no hash, and a browser that is known in it still signs in', async ({
    db,
  }) => {
    let hashes = 0;
    const algorithm: PasswordAlgorithm = {
      ...argon2id,
      verify: (phc, tried) => ((hashes += 1), argon2id.verify(phc, tried)),
    };
    const { member, attempt, knock, fail } = open(db, {
      lockout: { address: { free: 2 } },
      hashing: { ...fastHashing, algorithm },
    });
    const email = await member();
    const from = somewhere();
    const browser = { ...from, deviceToken: null };
    const { deviceToken } = signedIn(await attempt(email, password, browser));
    for (let round = 0; round < 3; round += 1) await fail(someone(), 1, () => from);
    hashes = 0;
    expect(await knock(email, from)).toBe(refused);
    expect(hashes).toBe(0);
    expect(await knock(email, { ...from, deviceToken })).toBe('no failure');
    expect(hashes).toBe(1);
  });

  test('trying while it is locked neither prolongs the lock nor counts', async ({ db }) => {
    const { member, clock, fail, knock } = open(db, { lockout: { account: { free: 1 } } });
    const email = await member();
    await fail(email, 2);
    await clock.advance('20s');
    await fail(email, 20);
    await clock.advance('10s');
    // The second wait, as if nobody had tried.
    await fail(email, 1);
    await clock.advance('59s');
    expect(await knock(email)).toBe(refused);
    await clock.advance('1s');
    expect(await knock(email)).toBe('no failure');
  });

  test('a pair of account and address locks first, and other addresses get in', async ({ db }) => {
    const { member, fail, knock } = open(db);
    const email = await member();
    const [stranger, owner] = [somewhere(), somewhere()];
    await fail(email, 6, () => stranger);
    expect(await knock(email, stranger)).toBe(refused);
    expect(await knock(email, owner)).toBe('no failure');
    expect(await knock(await member(), stranger)).toBe('no failure');
  });

  test('guesses from many addresses lock the account', async ({ db }) => {
    const { member, fail, knock } = open(db);
    const email = await member();
    await fail(email, 11, somewhere);
    expect(await knock(email, somewhere())).toBe(refused);
  });

  test('guesses at many accounts lock the address, of IPv6 the whole /64, and no success clears that', async ({
    db,
  }) => {
    const { member, fail, knock } = open(db, { lockout: { address: { free: 4 } } });
    const network = `2001:db8:0:${++clients}`;
    let host = 0;
    const from = () => ({ address: `${network}::${(++host).toString(16)}` });
    const email = await member();
    for (let round = 0; round < 4; round += 1) await fail(someone(), 1, from);
    expect(await knock(email, from())).toBe('no failure');
    await fail(someone(), 1, from);
    expect(await knock(email, from())).toBe(refused);
    expect(await knock(email, { address: `2001:db8:1:${clients}::1` })).toBe('no failure');
  });

  test('clients whose address is not known do not lock each other out', async ({ db }) => {
    const { member, fail, knock } = open(db, { lockout: { address: { free: 1 } } });
    const from = () => ({ address: '0.0.0.0' });
    for (let round = 0; round < 3; round += 1) await fail(someone(), 1, from);
    expect(await knock(await member(), from())).toBe('no failure');
  });

  test('switched off, nothing locks', async ({ db }) => {
    const { member, fail, knock } = open(db, { lockout: false });
    const [email, from] = [await member(), somewhere()];
    await fail(email, 60, () => from);
    expect(await knock(email, from)).toBe('no failure');
  });

  test.for([
    ['same', { code: refused, details: {} }],
    ['retry_after', { code: 'auth.locked', details: { retryAfterSeconds: 18 } }],
  ] as const)(
    'with answer %s, known and unknown, right and wrong are answered alike while locked',
    async ([answer, expected], { db }) => {
      const { member, fail, attempt, clock } = open(db, {
        lockout: { answer, account: { free: 2 } },
      });
      const [known, unknown] = [await member(), someone()];
      await fail(known, 3);
      await fail(unknown, 3);
      await clock.advance('12500ms');
      const refusals: unknown[] = [];
      for (const [email, tried] of [
        [known, password],
        [known, wrong],
        [unknown, password],
      ] as const)
        refusals.push(await attempt(email, tried).catch((error: unknown) => error));
      expect(refusals[0]).toMatchObject(expected);
      expect(new Set(refusals.map((each) => JSON.stringify([String(each), each])))).toHaveLength(1);
    },
  );

  test('a failure in a transaction that rolls back is counted and audited all the same', async ({
    db,
  }) => {
    const audited: AuthAuditEvent[] = [];
    const { auth, member, knock } = open(db, {
      lockout: { account: { free: 2 } },
      audit: async (event) => void audited.push(event),
    });
    const email = await member();
    for (let round = 0; round < 3; round += 1) {
      const answer = transact(db, (within) =>
        auth.login({ email, password: wrong }, { within, origin: { requestId: `r${round}` } }),
      );
      expect(await codeOf(answer)).toBe(refused);
    }
    expect(await knock(email)).toBe(refused);
    expect(audited.map(({ type }) => type).filter((type) => type.startsWith('auth.login'))).toEqual(
      [
        'auth.login.failed',
        'auth.login.failed',
        'auth.login.failed',
        'auth.login.locked',
        'auth.login.failed',
      ],
    );
  });

  test('each lock is told once, why in full to operators, and its owner is mailed once', async ({
    db,
  }) => {
    const { auth, member, clock, fail, knock, outbox } = open(db, {
      lockout: { account: { free: 2 } },
    });
    const email = await member();
    using seen = recordEvents(acted);
    await fail(email, 3);
    await fail(email, 2);
    await clock.advance('30s');
    await fail(email, 1);
    await auth.stop();
    const acts = seen.events.map(({ payload }) => payload);
    expect(
      acts.map(({ type, details }) => [type, details['reason'] ?? details['failures']]),
    ).toEqual([
      ['auth.login.failed', 'wrong_password'],
      ['auth.login.failed', 'wrong_password'],
      ['auth.login.failed', 'wrong_password'],
      ['auth.login.locked', 3],
      ['auth.login.failed', 'locked'],
      ['auth.login.failed', 'locked'],
      ['auth.login.failed', 'wrong_password'],
      ['auth.login.locked', 4],
    ]);
    expect(acts[3]).toMatchObject({
      outcome: 'denied',
      details: { counter: 'account', failures: 3, lockedUntil: '2026-01-01T00:00:30.000Z' },
    });
    const notices = () => outbox.mails.filter(({ template }) => template === 'security_notice');
    expect(notices()).toMatchObject([{ to: email, data: { change: 'account_locked' } }]);
    await clock.advance('1m');
    expect(await knock(email)).toBe('no failure');
    await fail(email, 3);
    await auth.stop();
    expect(notices()).toHaveLength(2);
  });

  test('nobody without a verified account is mailed', async ({ db }) => {
    const { auth, fail, outbox } = open(db, { lockout: { account: { free: 1 } } });
    const email = someone();
    await auth.register({ email, password });
    await fail(email, 3);
    await fail(someone(), 3);
    await auth.stop();
    expect(outbox.mails.map(({ template }) => template)).toEqual(['verify']);
  });

  test('after 100 failures in a row no waiting helps, only a reset by mail', async ({ db }) => {
    const { auth, member, clock, fail, knock, outbox } = open(db);
    const email = await member();
    for (let round = 0; round < 99; round += 1) {
      await fail(email, 1, somewhere);
      await clock.advance('20m');
    }
    await clock.advance('30d');
    expect(await auth.purge()).toMatchObject({ throttles: expect.any(Number) });
    await fail(email, 1);
    await auth.stop();
    await clock.advance('60d');
    await auth.purge();
    expect(await knock(email)).toBe(refused);
    expect(
      outbox.mails.filter(({ template, to }) => template === 'security_notice' && to === email),
    ).toHaveLength(2);
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token, password: newPassword });
    await auth.login({ email, password: newPassword });
  });

  test('a success between keeps the failures from being in a row', async ({ db }) => {
    const { member, clock, fail, knock } = open(db, { lockout: { cap: 6 } });
    const email = await member();
    for (let round = 0; round < 3; round += 1) {
      await fail(email, 5);
      expect(await knock(email)).toBe('no failure');
      await clock.advance('1h');
    }
  });

  test('purging goes on every hour until it is stopped', async ({ db }) => {
    const { auth, clock, fail } = open(db);
    const counted = async () =>
      (await db.selectFrom('svc_auth.throttles').selectAll().execute()).length;
    await auth.purge();
    const before = await counted();
    await auth.start();
    await auth.start();
    const from = somewhere();
    await fail(someone(), 1, () => from);
    expect(await counted()).toBe(before + 3);
    expect(clock.sleeping).toBe(1);
    await auth.stop();
    expect(clock.sleeping).toBe(0);
    await clock.advance('2d');
    expect((await auth.purge()).throttles).toBeGreaterThanOrEqual(2);
    expect(await counted()).toBe(before + 1);
  });
});

onPostgres('50 wrong passwords at once count as 50', async ({ db }) => {
  const { auth, member, knock } = open(db, {
    lockout: { account: { free: 49 } },
    hashing: { memoryKib: 64, iterations: 1 },
  });
  const email = await member();
  const attempts = Array.from({ length: 50 }, () => auth.login({ email, password: wrong }));
  expect(await tally(attempts)).toEqual({ fulfilled: 0, codes: [refused] });
  expect(await db.selectFrom('svc_auth.throttles').select('failures').execute()).toEqual([
    { failures: 50 },
  ]);
  expect(await knock(email)).toBe(refused);
});

onPostgres('a lock holds in every process', async ({ db, database }) => {
  const lockout = { account: { free: 4 } };
  const { member, fail } = open(db, { lockout });
  const connection = await connect(database.urls?.url as string);
  try {
    const other = open(connection.db, { lockout });
    const email = await member();
    await fail(email, 2);
    await other.fail(email, 3);
    expect(await other.knock(email)).toBe(refused);
    expect(await open(db, { lockout }).knock(email)).toBe(refused);
    await other.clock.advance('30s');
    expect(signedIn(await other.attempt(email, password)).status).toBe('signed_in');
  } finally {
    await connection.close();
  }
});

describe('the network of a client', () => {
  pure.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002:ffff::1', '2001:db8:1:2::/64'],
    ['2001:db8:1:2::/64', '2001:db8:1:2::/64'],
    ['fe80::1%eth0', 'fe80::/64'],
    ['0.0.0.0', null],
    ['::', null],
    ['127.1', null],
    ['a browser', null],
    [undefined, null],
  ])('of %s is %s', (address, network) => expect(clientNetwork(address)).toBe(network));
});
