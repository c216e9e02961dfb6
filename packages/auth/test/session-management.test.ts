import { recordEvents } from '@svc/core/testing';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, openAuth, password } from './open-auth.ts';

describeDatabases('session management', [authMigrations], (test) => {
  test('one sees the sessions that are alive, newest first, and which one asks', async ({ db }) => {
    const { auth, session, clock } = openAuth(db);
    const first = await session();
    const origin = { device: 'Netscape', address: '203.0.113.7' };
    await clock.advance('1s');
    const second = signedIn(await auth.login({ email: first.email, password }, { origin }));
    await auth.logout({ token: (await session(first.email)).token });
    expect(await auth.sessions.list(first.principal)).toMatchObject([
      { id: second.session.id, current: false, device: 'Netscape', address: '203.0.113.7' },
      { id: first.principal.session?.id, current: true, level: 1, methods: ['pwd'] },
    ]);
  });

  test('a revoked session is refused on its next request, by every process, and its row is kept', async ({
    db,
  }) => {
    const { auth, session } = openAuth(db);
    const { auth: elsewhere } = openAuth(db);
    const owner = await session();
    const lost = signedIn(await auth.login({ email: owner.email, password }));
    expect(await elsewhere.authenticate(lost.token)).not.toBeNull();
    using seen = recordEvents(acted);
    await auth.sessions.revoke(owner.principal, lost.session.id);
    expect(await elsewhere.authenticate(lost.token)).toBeNull();
    expect(await auth.authenticate(owner.token)).not.toBeNull();
    expect(seen.events.map(({ payload }) => payload)).toMatchObject([
      { type: 'auth.session.revoked', details: { sessionId: lost.session.id } },
    ]);
    const row = await db
      .selectFrom('svc_auth.sessions')
      .select(['revoke_reason'])
      .where('id', '=', lost.session.id)
      .executeTakeFirst();
    expect(row).toEqual({ revoke_reason: 'revoked' });
    expect(await codeOf(auth.sessions.revoke(owner.principal, lost.session.id))).toBe(
      'auth.session_not_found',
    );
  });

  test("nobody ends another person's session", async ({ db }) => {
    const { auth, session } = openAuth(db);
    const [owner, stranger] = [await session(), await session()];
    const id = owner.principal.session?.id as string;
    for (const guess of [id, 'no id', ''])
      expect(await codeOf(auth.sessions.revoke(stranger.principal, guess))).toBe(
        'auth.session_not_found',
      );
    expect(await auth.authenticate(owner.token)).not.toBeNull();
  });

  test('signing out elsewhere keeps the session that asks, signing out everywhere keeps none', async ({
    db,
  }) => {
    const { auth, session } = openAuth(db);
    const first = await session();
    const [second, stranger] = [await session(first.email), await session()];
    expect(await auth.sessions.revokeOthers(second.principal)).toBe(1);
    expect(await auth.authenticate(first.token)).toBeNull();
    expect(await auth.authenticate(second.token)).not.toBeNull();
    expect(await auth.sessions.revokeAll(second.principal)).toBe(1);
    expect(await auth.authenticate(second.token)).toBeNull();
    expect(await auth.authenticate(stranger.token)).not.toBeNull();
  });
});
