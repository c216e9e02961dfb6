import { signedIn } from '../src/testing.ts';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { openAuth, password } from './open-auth.ts';

describeDatabases('sessions', [authMigrations], (test) => {
  test('an unused session ends after its idle time', async ({ db }) => {
    const { auth, member, clock } = openAuth(db, { sessions: { idle: '1h', absolute: '1d' } });
    const email = await member();
    const [kept, left] = [
      signedIn(await auth.login({ email, password })),
      signedIn(await auth.login({ email, password })),
    ];
    await clock.advance('59m');
    expect(await auth.authenticate(kept.token)).not.toBeNull();
    await clock.advance('1m');
    expect(await auth.authenticate(left.token)).toBeNull();
    expect(await auth.authenticate(kept.token)).not.toBeNull();
  });

  test('a session in constant use ends after its absolute time', async ({ db }) => {
    const { auth, member, clock } = openAuth(db, { sessions: { idle: '1h', absolute: '3h' } });
    const { token, session } = signedIn(await auth.login({ email: await member(), password }));
    for (let minutes = 0; minutes < 150; minutes += 30) {
      await clock.advance('30m');
      expect(await auth.authenticate(token)).not.toBeNull();
    }
    const last = await auth.authenticate(token);
    expect(last?.session?.expiresAt).toEqual(session.absoluteExpiresAt);
    await clock.advance('30m');
    expect(await auth.authenticate(token)).toBeNull();
  });

  test('by default it is 14 days unused and 90 in all', async ({ db }) => {
    const { auth, member } = openAuth(db);
    const { session } = signedIn(await auth.login({ email: await member(), password }));
    const days = (end: Date) => (end.getTime() - session.createdAt.getTime()) / 86_400_000;
    expect([days(session.expiresAt), days(session.absoluteExpiresAt)]).toEqual([14, 90]);
  });

  test('use is noted at most once a minute', async ({ db }) => {
    const { auth, member, clock } = openAuth(db);
    const { token, session } = signedIn(await auth.login({ email: await member(), password }));
    const noted = async () =>
      (
        await db
          .selectFrom('svc_auth.sessions')
          .select('last_seen_at')
          .where('id', '=', session.id)
          .executeTakeFirstOrThrow()
      ).last_seen_at as Date;
    await clock.advance('59s');
    await auth.authenticate(token);
    expect(await noted()).toEqual(session.createdAt);
    await clock.advance('1s');
    const seen = await auth.authenticate(token);
    expect(await noted()).toEqual(clock.now());
    expect(seen?.session?.lastSeenAt).toEqual(clock.now());
  });

  test("a disabled user's session is refused on its next request", async ({ db }) => {
    const { auth, member } = openAuth(db);
    const { token, user } = signedIn(await auth.login({ email: await member(), password }));
    await db
      .updateTable('svc_auth.users')
      .set({ disabled_at: new Date(0) })
      .where('id', '=', user.id)
      .execute();
    expect(await auth.authenticate(token)).toBeNull();
  });

  test('what is no token of ours is nobody', async ({ db }) => {
    const { auth } = openAuth(db);
    for (const junk of ['', 'x', `${'a'.repeat(42)}\0`, 'a'.repeat(43), 'a'.repeat(100_000)]) {
      expect(await auth.authenticate(junk)).toBeNull();
      await auth.logout({ token: junk });
    }
  });

  test('many requests at once each find their own session, and none a revoked one', async ({
    db,
  }) => {
    const { auth, member } = openAuth(db);
    const emails = [await member(), await member(), await member()];
    const logins = await Promise.all(
      Array.from({ length: 30 }, async (_, number) =>
        signedIn(await auth.login({ email: emails[number % 3] as string, password })),
      ),
    );
    const live = logins.map(({ token }, number) => ({ token, revoked: number % 5 === 0 }));
    for (const { token, revoked } of live) if (revoked) await auth.logout({ token });
    const asked = Array.from({ length: 300 }, (_, number) => number % logins.length);
    const found = await Promise.all(asked.map((n) => auth.authenticate(logins[n]?.token ?? '')));
    expect(found.map((principal) => principal?.session?.id ?? null)).toEqual(
      asked.map((n) => (live[n]?.revoked === true ? null : logins[n]?.session.id)),
    );
    expect(found.map((principal) => principal?.userId ?? null)).toEqual(
      asked.map((n) => (live[n]?.revoked === true ? null : logins[n]?.user.id)),
    );
  });

  test('a session that ends while others are looked up is refused on its next request', async ({
    db,
  }) => {
    const { auth, member } = openAuth(db);
    const email = await member();
    const [staying, leaving] = [
      signedIn(await auth.login({ email, password })),
      signedIn(await auth.login({ email, password })),
    ];
    const flood = Array.from({ length: 100 }, () => auth.authenticate(staying.token));
    await auth.logout({ token: leaving.token });
    const after = Array.from({ length: 20 }, () => auth.authenticate(leaving.token));
    expect(await Promise.all(after)).toEqual(after.map(() => null));
    expect((await Promise.all(flood)).every((principal) => principal !== null)).toBe(true);
  });
});
