import { recordEvents } from '@svc/core/testing';
import { describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { acted, createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { parseRefreshToken, refreshTokenOf } from '../src/refresh/refresh-tokens.ts';
import { signedIn, totpCode } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password } from './open-auth.ts';
import { kept, openRefresh } from './open-refresh.ts';

const refused = 'auth.invalid_refresh_token';

describeDatabases('refresh tokens', [authMigrations], (test) => {
  test('a refresh answers the next pair, and the former access token is dead', async ({ db }) => {
    const { client, refresh, isAlive } = openRefresh(db);
    const first = await client();
    expect(first.token).toMatch(/^[\w-]{43}$/);
    expect(first.refreshToken).toMatch(/^rt_[0-9A-Za-z]{22}_000001_[0-9A-Za-z]{49}$/);
    expect(await isAlive(first)).toBe(true);
    const second = await refresh(first);
    expect(second).not.toEqual(kept(first.signIn));
    expect([await isAlive(first), await isAlive(second)]).toEqual([false, true]);
    const third = await refresh(second);
    expect([await isAlive(second), await isAlive(third)]).toEqual([false, true]);
  });

  test('an access token works for 10 minutes, or as long as the app says', async ({ db }) => {
    const { client, refresh, isAlive, clock } = openRefresh(db);
    const opened = await client();
    const { createdAt } = opened.signIn.session;
    expect(opened.signIn.refresh).toMatchObject({
      accessExpiresAt: new Date(createdAt.getTime() + 600_000),
      refreshExpiresAt: opened.signIn.session.expiresAt,
    });
    await clock.advance('599s');
    expect(await isAlive(opened)).toBe(true);
    await clock.advance('1s');
    expect(await isAlive(opened)).toBe(false);
    expect(await isAlive(await refresh(opened))).toBe(true);
    const short = openRefresh(db, { refresh: { accessTtl: '1m' } });
    const client2 = await short.client();
    await short.clock.advance('1m');
    expect(await short.isAlive(client2)).toBe(false);
  });

  test('the former token is answered the same pair for 10 seconds, and after that ends the session', async ({
    db,
  }) => {
    const { auth, client, refresh, isAlive, clock } = openRefresh(db);
    const [soon, late] = [await client(), await client()];
    const [nextSoon, nextLate] = [await auth.refresh(soon), await refresh(late)];
    await clock.advance('9900ms');
    expect(await auth.refresh(soon)).toEqual(nextSoon);
    await clock.advance('200ms');
    expect(await codeOf(refresh(late))).toBe(refused);
    expect(await isAlive(nextLate)).toBe(false);
    expect(await codeOf(refresh(nextLate))).toBe(refused);
    expect(await isAlive(kept(nextSoon))).toBe(true);
  });

  test('the former token is answered no more once its successor was used, and ends the session', async ({
    db,
  }) => {
    const { client, refresh, isAlive } = openRefresh(db);
    const first = await client();
    const second = await refresh(first);
    const third = await refresh(second);
    expect(await codeOf(refresh(first))).toBe(refused);
    expect(await isAlive(third)).toBe(false);
    expect(await codeOf(refresh(third))).toBe(refused);
  });

  test('that the new access token was used does not end the session of who asks again', async ({
    db,
  }) => {
    const { client, refresh, isAlive } = openRefresh(db);
    const first = await client();
    const second = await refresh(first);
    expect(await isAlive(second)).toBe(true);
    expect(await refresh(first)).toEqual(second);
    expect(await isAlive(second)).toBe(true);
  });

  test('a thief who refreshes first is found out at the next refresh of the owner, on every process, and the owner is told', async ({
    db,
  }) => {
    const { auth, elsewhere, client, refresh, isAlive, clock, outbox } = openRefresh(db);
    const owner = await client();
    const thief = await refresh(owner, elsewhere);
    await clock.advance('5m');
    using seen = recordEvents(acted);
    expect(await codeOf(refresh(owner))).toBe(refused);
    for (const process of [auth, elsewhere]) {
      expect(await isAlive(thief, process)).toBe(false);
      expect(await codeOf(refresh(thief, process))).toBe(refused);
    }
    const sessionId = owner.signIn.session.id;
    expect(seen.events.map(({ payload }) => payload)).toEqual([
      {
        type: 'auth.session.refresh_reused',
        outcome: 'denied',
        userId: owner.signIn.user.id,
        details: { sessionId, generation: 1, newest: 2 },
      },
    ]);
    expect((await outbox.next('security_notice', owner.email)).data.change).toBe(
      'session_suspected',
    );
    const row = await db
      .selectFrom('svc_auth.sessions')
      .select('revoke_reason')
      .where('id', '=', sessionId)
      .executeTakeFirst();
    expect(row).toEqual({ revoke_reason: 'refresh_reused' });
  });

  test('a token that was made up for a known session is refused, and touches nobody', async ({
    db,
  }) => {
    const { auth, client, refresh, isAlive } = openRefresh(db);
    const victim = await client();
    const next = await refresh(victim);
    const { sessionId } = parseRefreshToken(victim.refreshToken) as { sessionId: string };
    const strangerKey = Buffer.alloc(32, 7).toString('base64url');
    const guesses = [1, 2, 3, 50].map((each) => refreshTokenOf(strangerKey, sessionId, each));
    const junk = [
      '',
      'rt_',
      victim.refreshToken.slice(0, -1),
      `${victim.refreshToken}x`,
      'a'.repeat(82),
    ];
    const typo = victim.refreshToken.replace(/.$/, (last) => (last === '0' ? '1' : '0'));
    for (const refreshToken of [...guesses, ...junk, typo, victim.token, `rt_${'z'.repeat(79)}`])
      expect(await codeOf(auth.refresh({ refreshToken }))).toBe(refused);
    expect(await isAlive(next)).toBe(true);
  });

  test('a refresh token opens nothing itself, and an access token refreshes nothing', async ({
    db,
  }) => {
    const { auth, client, isAlive } = openRefresh(db);
    const { token, refreshToken } = await client();
    expect(await isAlive({ token: refreshToken })).toBe(false);
    expect(await codeOf(auth.refresh({ refreshToken: token }))).toBe(refused);
    await auth.logout({ token: refreshToken });
    expect(await isAlive({ token })).toBe(true);
  });

  test('refreshing keeps a session alive until its absolute end, and not beyond', async ({
    db,
  }) => {
    const sessions = { idle: '1h', absolute: '2h' } as const;
    const { auth, client, refresh, clock } = openRefresh(db, { sessions });
    const [used, left] = [await client(), await client()];
    await clock.advance('50m');
    const second = await refresh(used);
    await clock.advance('50m');
    expect(await codeOf(refresh(left))).toBe(refused);
    const third = await refresh(second);
    await clock.advance('15m');
    const last = await auth.refresh(third);
    expect(last.refresh.accessExpiresAt).toEqual(last.session.absoluteExpiresAt);
    expect(last.refresh.refreshExpiresAt).toEqual(last.session.absoluteExpiresAt);
    await clock.advance('5m');
    expect(await codeOf(refresh(kept(last)))).toBe(refused);
  });

  test('whatever ends the session ends its refresh token', async ({ db }) => {
    const { auth, client, session, refresh, outbox } = openRefresh(db);
    const actor = { type: 'system', id: null, reason: 'a test' } as const;
    const ends: ((of: Awaited<ReturnType<typeof client>>) => Promise<unknown>)[] = [
      ({ token }) => auth.logout({ token }),
      async ({ email }) => auth.sessions.revokeOthers((await session(email)).principal),
      ({ signIn }) => auth.sessions.revokeAllOf(signIn.user.id, actor),
      ({ signIn }) => auth.users.disable(signIn.user.id, actor),
      async ({ email }) => {
        const { principal } = await session(email);
        await auth.account.changePassword(principal, {
          currentPassword: password,
          password: newPassword,
        });
      },
      async ({ email }) => {
        await auth.forgotPassword({ email });
        const token = await outbox.nextToken('reset_password', email);
        await auth.resetPassword({ token, password: newPassword });
      },
      ({ token, email }) => auth.login({ email, password, previousToken: token }),
      ({ signIn }) =>
        db
          .updateTable('svc_auth.users')
          .set({ disabled_at: new Date(0) })
          .where('id', '=', signIn.user.id)
          .execute(),
    ];
    for (const end of ends) {
      const one = await client();
      await end(one);
      expect(await codeOf(refresh(one))).toBe(refused);
    }
  });

  test('who proves anew who they are gets a new pair; the former one is refused at once, and later ends the session', async ({
    db,
  }) => {
    const { auth, client, refresh, isAlive, clock } = openRefresh(db);
    const before = await client();
    const principal = (await auth.authenticate(before.token)) ?? expect.fail();
    const changed = await auth.account.changePassword(principal, {
      currentPassword: password,
      password: newPassword,
    });
    const after = kept(changed);
    expect([await isAlive(before), await isAlive(after)]).toEqual([false, true]);
    expect(await codeOf(refresh(before))).toBe(refused);
    expect(await isAlive(after)).toBe(true);
    const next = await refresh(after);
    await clock.advance('11s');
    expect(await codeOf(refresh(before))).toBe(refused);
    expect(await isAlive(next)).toBe(false);
  });

  test('a second factor that is set up or shown in the session keeps it refreshable, at its new level', async ({
    db,
  }) => {
    const { auth, client, refresh, clock } = openRefresh(db);
    const { token, email } = await client();
    const principal = (await auth.authenticate(token)) ?? expect.fail();
    const { secret } = await auth.mfa.enrolTotp(principal);
    const code = totpCode(secret, clock.now());
    const { token: raised } = await refresh(kept(await auth.mfa.confirmTotp(principal, { code })));
    expect((await auth.authenticate(raised))?.session?.level).toBe(2);
    const half = await auth.login({ email, password, refresh: true });
    if (half.status !== 'second_factor_required') expect.fail();
    await clock.advance('30s');
    const answer = { method: 'totp', code: totpCode(secret, clock.now()) } as const;
    const { challenge } = half;
    const full = await auth.mfa.answerChallenge({ challenge, ...answer, refresh: true });
    const next = await refresh(kept(full));
    expect((await auth.authenticate(next.token))?.session).toMatchObject({
      level: 2,
      methods: ['pwd', 'otp'],
    });
  });

  test('a login that asks for no refresh token gets none, and its token lives as long as the session', async ({
    db,
  }) => {
    const { auth, member, clock, isAlive } = openRefresh(db);
    const signIn = signedIn(await auth.login({ email: await member(), password }));
    expect(signIn.refresh).toBeNull();
    await clock.advance('13d');
    expect(await isAlive(signIn)).toBe(true);
  });

  test('where the app hands out no refresh tokens, who asks for one is told so, and former ones are refused', async ({
    db,
  }) => {
    const { auth, member } = openAuth(db);
    const email = await member();
    expect(await codeOf(auth.login({ email, password, refresh: true }))).toBe(
      'core.validation_failed',
    );
    const { client, clock } = openRefresh(db);
    const { refreshToken } = await client();
    const off = openAuth(db, { clock }).auth;
    expect(await codeOf(off.refresh({ refreshToken }))).toBe(refused);
  });

  test('the key of a family is encrypted, and no token of any generation is at rest', async ({
    db,
  }) => {
    const { auth, client, refresh, logger } = openRefresh(db);
    const first = await client();
    const second = await refresh(first);
    const again = await refresh(first);
    const third = await refresh(second);
    await codeOf(auth.refresh({ refreshToken: first.refreshToken }));
    const handedOut = [first, second, again, third].flatMap(({ token, refreshToken }) => [
      token,
      refreshToken,
      refreshToken.split('_').at(-1)?.slice(0, 43) as string,
    ]);
    const dumps = await Promise.all(
      ['sessions', 'refresh_families'].map((table) =>
        sql<{
          line: string;
        }>`select t::text as line from ${sql.table(`svc_auth.${table}`)} t`.execute(db),
      ),
    );
    const dump = JSON.stringify([dumps.map(({ rows }) => rows), logger.lines]);
    expect(dump).toContain('v1.k1.');
    for (const secret of handedOut)
      for (const form of [
        secret,
        Buffer.from(secret).toString('hex'),
        Buffer.from(secret, 'base64url').toString('hex'),
      ])
        expect(dump).not.toContain(form);
  });

  test('keys of sessions that have ended are purged, those of others are not', async ({ db }) => {
    const { auth, client, refresh } = openRefresh(db);
    const [ended, alive] = [await client(), await client()];
    await auth.logout({ token: ended.token });
    expect((await auth.purge()).refreshFamilies).toBeGreaterThanOrEqual(1);
    expect(await codeOf(refresh(ended))).toBe(refused);
    await refresh(alive);
  });

  test('roles that were taken are gone with the next refresh', async ({ db }) => {
    const { auth, client, refresh } = openRefresh(db, { authorization: createAuthorization() });
    const actor = { type: 'system', id: null } as const;
    const one = await client();
    await auth.users.setRoles(one.signIn.user.id, ['auditor'], actor);
    const next = await refresh(one);
    expect((await auth.authenticate(next.token))?.roles).toContain('auditor');
    await auth.users.setRoles(one.signIn.user.id, [], actor);
    const last = await refresh(next);
    expect((await auth.authenticate(last.token))?.roles).toEqual(['user']);
  });
});
