import { testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { describe, expect, test as plainTest } from 'vitest';
import type { AuthOptions } from '../src/index.ts';
import type { LiveSessionRow } from '../src/live-sessions.ts';
import { authMigrations } from '../src/migrations.ts';
import { createSessionCache } from '../src/session-cache.ts';
import { signedIn, totpCode } from '../src/testing.ts';
import { newPassword, openAuth, password } from './open-auth.ts';

/** Two processes with a cache on one database, in one time. */
function openCached(db: Db, options: Partial<AuthOptions> = {}) {
  const clock = testClock();
  const cached = { sessions: { cache: {} }, clock, ...options };
  const here = openAuth(db, cached);
  const { auth: elsewhere } = openAuth(db, cached);
  return { ...here, clock, elsewhere };
}

const actor = { type: 'system', id: null, reason: 'a test' } as const;

describeDatabases('the session cache', [authMigrations], (test) => {
  test('a session that ended elsewhere is refused within a second, with no message to tell of it', async ({
    db,
  }) => {
    const { auth, elsewhere, session, clock } = openCached(db);
    const { token } = await session();
    expect(await elsewhere.authenticate(token)).not.toBeNull();
    await auth.logout({ token });
    expect(await auth.authenticate(token)).toBeNull();
    await clock.advance('999ms');
    expect(await elsewhere.authenticate(token)).not.toBeNull();
    await clock.advance('1ms');
    expect(await elsewhere.authenticate(token)).toBeNull();
  });

  test('asking all the time prolongs nothing', async ({ db }) => {
    const { auth, elsewhere, session, clock } = openCached(db);
    const { token } = await session();
    await elsewhere.authenticate(token);
    await auth.logout({ token });
    const answers: boolean[] = [];
    for (let passedMs = 0; passedMs < 1200; passedMs += 100) {
      await clock.advance('100ms');
      answers.push((await elsewhere.authenticate(token)) !== null);
    }
    expect(answers).toEqual([...Array(9).fill(true), ...Array(3).fill(false)]);
  });

  test('without the cache it is refused on its next request everywhere', async ({ db }) => {
    const { auth, elsewhere, session } = openCached(db, { sessions: {} });
    const { token } = await session();
    await elsewhere.authenticate(token);
    await auth.logout({ token });
    expect(await elsewhere.authenticate(token)).toBeNull();
  });

  test('what this process does to a session or its user is seen on the next request', async ({
    db,
  }) => {
    const { auth, session, outbox } = openCached(db);
    type Owner = Awaited<ReturnType<typeof session>>;
    const ends: ((of: Owner) => Promise<unknown>)[] = [
      ({ token }) => auth.logout({ token }),
      ({ principal }) => auth.sessions.revokeAll(principal),
      ({ principal }) => auth.sessions.revoke(principal, principal.session?.id ?? ''),
      ({ user }) => auth.sessions.revokeAllOf(user.id, actor),
      ({ user }) => auth.users.disable(user.id, actor),
      ({ principal }) => auth.mfa.stepUp(principal, { method: 'password', password }),
      ({ principal }) =>
        auth.account.changePassword(principal, {
          currentPassword: password,
          password: newPassword,
        }),
      async ({ email }) => {
        await auth.forgotPassword({ email });
        const token = await outbox.nextToken('reset_password', email);
        await auth.resetPassword({ token, password: newPassword });
      },
      ({ email, token }) => auth.login({ email, password, previousToken: token }),
    ];
    for (const end of ends) {
      const owner = await session();
      expect(await auth.authenticate(owner.token)).not.toBeNull();
      await end(owner);
      expect(await auth.authenticate(owner.token)).toBeNull();
    }
  });

  test('new roles, a new name and a second factor show on the next request, too', async ({
    db,
  }) => {
    const { auth, session, clock } = openCached(db);
    const { token, user, principal } = await session();
    await auth.users.setRoles(user.id, ['auditor'], actor);
    expect((await auth.authenticate(token))?.roles).toContain('auditor');
    await auth.account.rename(principal, { name: 'Countess' });
    expect((await auth.authenticate(token))?.user.name).toBe('Countess');
    const { secret } = await auth.mfa.enrolTotp(principal);
    const code = totpCode(secret, clock.now());
    const { token: raised } = await auth.mfa.confirmTotp(principal, { code });
    expect((await auth.authenticate(raised))?.user.mfaEnabledAt).not.toBeNull();
    expect((await auth.authenticate(raised))?.session?.level).toBe(2);
    const now = (await auth.authenticate(raised)) ?? expect.fail();
    await auth.mfa.removeTotp(now);
    expect((await auth.authenticate(raised))?.session?.level).toBe(1);
  });

  test('that nobody was found is not remembered', async ({ db }) => {
    const { auth, session } = openCached(db);
    const { token, user } = await session();
    const { elsewhere } = openCached(db);
    const set = (at: Date | null) =>
      db.updateTable('svc_auth.users').set({ disabled_at: at }).where('id', '=', user.id).execute();
    await set(new Date(0));
    expect(await elsewhere.authenticate(token)).toBeNull();
    await set(null);
    expect(await elsewhere.authenticate(token)).not.toBeNull();
    expect(await auth.authenticate(token)).not.toBeNull();
  });

  test('a session ends at its hour to the millisecond, however lately it was looked up', async ({
    db,
  }) => {
    for (const absolute of ['1500ms', '1h'] as const) {
      const sessions = { idle: '1500ms', absolute, cache: {} } as const;
      const { auth, session, clock } = openCached(db, { sessions });
      const { token } = await session();
      await clock.advance('1s');
      await auth.authenticate(token);
      await clock.advance('499ms');
      expect(await auth.authenticate(token)).not.toBeNull();
      await clock.advance('1ms');
      expect(await auth.authenticate(token)).toBeNull();
    }
    const { auth, member, clock } = openCached(db, { refresh: { accessTtl: '11s' } });
    const signIn = { email: await member(), password, refresh: true };
    const { token } = signedIn(await auth.login(signIn));
    await clock.advance('10500ms');
    expect(await auth.authenticate(token)).not.toBeNull();
    await clock.advance('500ms');
    expect(await auth.authenticate(token)).toBeNull();
  });

  test('use is noted as without it', async ({ db }) => {
    const { auth, elsewhere, session, clock } = openCached(db);
    const { token } = await session();
    await clock.advance('59500ms');
    await auth.authenticate(token);
    await clock.advance('500ms');
    const seen = await auth.authenticate(token);
    expect(seen?.session?.lastSeenAt).toEqual(clock.now());
    expect((await auth.authenticate(token))?.session).toEqual(seen?.session);
    expect((await elsewhere.authenticate(token))?.session).toEqual(seen?.session);
  });

  test('an access token that is refreshed elsewhere dies within a second, here at once', async ({
    db,
  }) => {
    const { auth, elsewhere, member, clock } = openCached(db, { refresh: {} });
    const signIn = signedIn(await auth.login({ email: await member(), password, refresh: true }));
    await Promise.all([auth, elsewhere].map((each) => each.authenticate(signIn.token)));
    await auth.refresh({ refreshToken: signIn.refresh?.refreshToken ?? '' });
    expect(await auth.authenticate(signIn.token)).toBeNull();
    await clock.advance('1s');
    expect(await elsewhere.authenticate(signIn.token)).toBeNull();
  });
});

const postgres = databaseTest([authMigrations]);

postgres('while a session is remembered, the database is not asked', async ({ db }) => {
  const { auth, session, clock } = openCached(db);
  const { token } = await session();
  await auth.authenticate(token);
  // Behind the back of this process, so that only its memory can answer.
  await db.updateTable('svc_auth.sessions').set({ revoked_at: clock.now() }).execute();
  expect(await auth.authenticate(token)).not.toBeNull();
  await clock.advance('1s');
  expect(await auth.authenticate(token)).toBeNull();
});

postgres('a revocation that meets requests in flight leaves nothing in memory', async ({ db }) => {
  const { auth, session } = openCached(db);
  for (let round = 0; round < 20; round += 1) {
    const { token } = await session();
    const flood = Array.from({ length: 10 }, () => auth.authenticate(token));
    await auth.logout({ token });
    expect(await auth.authenticate(token)).toBeNull();
    await Promise.all(flood);
    expect(await auth.authenticate(token)).toBeNull();
  }
});

describe('the memory of the cache', () => {
  const hashOf = (number: number) => Uint8Array.of(number >> 8, number & 255);
  const rowOf = (user: string) =>
    ({
      user_id: user,
      idle_expires_at: new Date('2030-01-01'),
      absolute_expires_at: new Date('2030-01-01'),
      access_expires_at: null,
    }) as LiveSessionRow;

  plainTest('never holds more than its size, and drops the oldest first', async () => {
    const cache = createSessionCache({ maxAgeMs: 1000, size: 100, clock: testClock() });
    for (let number = 0; number < 1000; number += 1) {
      await cache.find(hashOf(number), async () => rowOf(`user ${number % 7}`));
      expect(cache.size).toBeLessThanOrEqual(100);
    }
    let loads = 0;
    const load = async () => {
      loads += 1;
      return rowOf('user');
    };
    await cache.find(hashOf(999), load);
    expect(loads).toBe(0);
    await cache.find(hashOf(0), load);
    expect(loads).toBe(1);
  });

  plainTest('lets go of what is too old, and of a user that it is told to forget', async () => {
    const clock = testClock();
    const cache = createSessionCache({ maxAgeMs: 1000, size: 100, clock });
    for (let number = 0; number < 50; number += 1)
      await cache.find(hashOf(number), async () => rowOf('one'));
    await clock.advance('1s');
    await cache.find(hashOf(60), async () => rowOf('one'));
    await cache.find(hashOf(61), async () => rowOf('other'));
    expect(cache.size).toBe(2);
    cache.forget('one');
    expect(cache.size).toBe(1);
  });

  plainTest('does not remember a look-up during which somebody was forgotten', async () => {
    const cache = createSessionCache({ maxAgeMs: 1000, size: 100, clock: testClock() });
    await cache.find(hashOf(1), async () => {
      cache.forget('one');
      return rowOf('one');
    });
    expect(cache.size).toBe(0);
  });

  plainTest('counts the age from before the look-up', async () => {
    const clock = testClock();
    const cache = createSessionCache({ maxAgeMs: 1000, size: 100, clock });
    await cache.find(hashOf(1), async () => {
      await clock.advance('600ms');
      return rowOf('one');
    });
    await clock.advance('400ms');
    expect(await cache.find(hashOf(1), async () => undefined)).toBeUndefined();
  });
});
