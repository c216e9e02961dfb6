import { testClock } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import fc from 'fast-check';
import { describe, expect, test as pure } from 'vitest';
import {
  afterFailure,
  parseLockout,
  type ThrottlePolicy,
  type ThrottleState,
  waitMs,
} from '../src/lockout/throttle-policy.ts';
import {
  createThrottles,
  needsReset,
  type Lock,
  type ThrottleKey,
} from '../src/lockout/throttles.ts';
import { authMigrations } from '../src/migrations.ts';

const onPostgres = databaseTest([authMigrations]);

const second = 1000;
const policy: ThrottlePolicy = {
  free: 3,
  firstWaitMs: 30 * second,
  maxWaitMs: 300 * second,
  forgetAfterMs: 3600 * second,
  cap: 100,
};

describe('the wait', () => {
  pure('is nothing while failures are free, then doubles up to the longest', () => {
    const waits = [1, 3, 4, 5, 6, 7, 8, 9, 2000].map(
      (failures) => waitMs(failures, policy) / second,
    );
    expect(waits).toEqual([0, 0, 30, 60, 120, 240, 300, 300, 300]);
  });

  pure('never shrinks with another failure, and a lock that has begun never moves', () => {
    const start = Date.parse('2026-01-01T00:00:00Z');
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4000 * second })), (pauses) => {
        let now = start;
        let state: ThrottleState = {
          failures: 0,
          consecutive: 0,
          last_failed_at: new Date(start),
          locked_until: null,
          forget_at: new Date(start),
        };
        for (const [index, pause] of pauses.entries()) {
          now += pause;
          const next = afterFailure(state, policy, new Date(now));
          expect(next.consecutive).toBe(index + 1);
          expect(next.failures === state.failures + 1 || next.failures === 1).toBe(true);
          if (state.locked_until !== null && state.locked_until.getTime() > now)
            expect(next.locked_until).toBe(state.locked_until);
          expect(next.forget_at.getTime()).toBeGreaterThan(now);
          state = next;
        }
      }),
    );
  });

  pure.each([
    ['cap', { cap: 101 }],
    ['cap', { cap: 0 }],
    ['account.free', { account: { free: 0 } }],
    ['pair.firstWait', { pair: { firstWait: '0s' as const } }],
    ['address.firstWait', { address: { firstWait: '1h' as const } }],
    ['account.forgetAfter', { forgetAfter: '0s' as const }],
  ])('an unusable lockout.%s is a TypeError', (name, options) => {
    expect(() => parseLockout(options)).toThrow(TypeError);
    expect(() => parseLockout(options)).toThrow(`lockout.${name}`);
  });

  pure('switched off, second factors and known devices stay limited', () => {
    expect(Object.keys(parseLockout(false).policies)).toEqual(['device', 'second_factor']);
  });
});

const open = (options = {}) => {
  const clock = testClock();
  return { clock, throttles: createThrottles({ clock, policies: parseLockout(options).policies }) };
};
const keyOf = (value: string): ThrottleKey => ({ kind: 'account', value });

describeDatabases('throttles', [authMigrations], (test) => {
  test('a count in a transaction that rolls back is written once it is over', async ({ db }) => {
    const { throttles } = open({ account: { free: 1 } });
    const keys = [keyOf('rolled back')];
    for (let round = 0; round < 2; round += 1) {
      const refused = transact(db, async (within) => {
        await throttles.countFailure(db, keys, { within });
        expect(await throttles.lockedUntil(within, keys)).toBeNull();
        throw new Error('refused');
      });
      await expect(refused).rejects.toThrow('refused');
    }
    expect(await throttles.lockedUntil(db, keys)).not.toBeNull();
  });

  test('each lock is told once, and is news when it is the first or needs a reset', async ({
    db,
  }) => {
    const { throttles, clock } = open({ account: { free: 2 }, cap: 5 });
    const told: Lock[] = [];
    const keys = [keyOf('told')];
    for (let round = 0; round < 6; round += 1) {
      await throttles.countFailure(db, keys, {}, async (_, locks) => void told.push(...locks));
      await clock.advance('15m');
    }
    expect(told.map(({ failures, isNews }) => [failures, isNews])).toEqual([
      [3, true],
      [4, false],
      [5, true],
      [6, false],
    ]);
    expect(needsReset((await throttles.lockedUntil(db, keys)) as Date)).toBe(true);
  });

  test('quiet time begins when the lock ends; then the waits begin anew, but failures in a row do not', async ({
    db,
  }) => {
    const { throttles, clock } = open({ account: { free: 1 }, forgetAfter: '1h' });
    const keys = [keyOf('quiet')];
    const fail = () => throttles.countFailure(db, keys);
    const leftMs = async () =>
      Number((await throttles.lockedUntil(db, keys)) ?? clock.now()) - Number(clock.now());
    await fail();
    await fail();
    expect(await leftMs()).toBe(30_000);
    await clock.advance('1h');
    await fail();
    expect(await leftMs()).toBe(60_000);
    await clock.advance('61m');
    await fail();
    expect(await leftMs()).toBe(0);
    const row = await db.selectFrom('svc_auth.throttles').selectAll().where('consecutive', '=', 4);
    expect(await row.execute()).toHaveLength(1);
  });

  test('purging keeps what a cap counts for a year, and the rest until it is forgotten', async ({
    db,
  }) => {
    await db.deleteFrom('svc_auth.throttles').execute();
    const { throttles, clock } = open();
    await throttles.countFailure(db, [keyOf('a'), { kind: 'pair', value: 'a b' }]);
    await clock.advance('23h');
    expect(await throttles.purge(db)).toBe(0);
    await clock.advance('2h');
    expect(await throttles.purge(db)).toBe(1);
    await clock.advance('363d');
    expect(await throttles.purge(db)).toBe(0);
    await clock.advance('2d');
    expect(await throttles.purge(db)).toBe(1);
  });

  test('lifting a cap leaves a wait alone', async ({ db }) => {
    const { throttles } = open({ cap: 8 });
    const key = (value: string): ThrottleKey => ({ kind: 'second_factor', value });
    for (let round = 0; round < 8; round += 1) {
      await throttles.countFailure(db, [key('capped'), ...(round < 6 ? [key('waits')] : [])]);
    }
    await throttles.liftCaps(db, [key('capped'), key('waits')]);
    expect(await throttles.lockedUntil(db, [key('capped')])).toBeNull();
    expect(await throttles.lockedUntil(db, [key('waits')])).not.toBeNull();
  });
});

onPostgres(
  'of 50 failures none is lost, in whichever order their keys are named, and one lock begins',
  async ({ db }) => {
    const { throttles } = open({ account: { free: 49 }, pair: { free: 1000 } });
    const keys: ThrottleKey[] = [keyOf('busy'), { kind: 'pair', value: 'busy' }];
    const locks: Lock[] = [];
    await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        throttles.countFailure(
          db,
          index % 2 === 0 ? keys : keys.toReversed(),
          {},
          async (_, begun) => void locks.push(...begun),
        ),
      ),
    );
    const rows = await db.selectFrom('svc_auth.throttles').select(['failures']).execute();
    expect(rows).toEqual([{ failures: 50 }, { failures: 50 }]);
    expect(locks).toMatchObject([{ kind: 'account', failures: 50, isNews: true }]);
  },
);
