import { describeDatabases } from '@svc/db/testing';
import { stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { type AuthEnv, authRoutes } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { openAuth } from './open-auth.ts';

describeDatabases('ending sessions', [authMigrations], (test) => {
  test('over HTTP: everybody sees theirs, and ends them within an hour of proving who they are', async ({
    db,
  }) => {
    const { auth, clock, session } = openAuth(db);
    const app = new Hono<AuthEnv>();
    stack(app, { typeBase: 'https://app.example.com/errors', clock });
    app.route('/auth', authRoutes(auth));
    const { token, email, principal } = await session();
    const other = await session(email);
    const ask = (method: string, path: string) =>
      app.request(path, { method, headers: { authorization: `Bearer ${token}` } });
    const theOther = `/auth/sessions/${other.principal.session?.id}`;
    await clock.advance('61m');
    for (const [method, path] of [
      ['DELETE', theOther],
      ['POST', '/auth/sessions/revoke-others'],
      ['DELETE', '/auth/sessions'],
    ] as const)
      expect([path, (await ask(method, path)).status]).toEqual([path, 401]);
    expect(await auth.authenticate(other.token)).not.toBeNull();
    const listed = (await (await ask('GET', '/auth/sessions')).json()) as { items: unknown[] };
    expect(listed.items).toHaveLength(2);

    const { token: fresh } = await auth.mfa.stepUp(principal, {
      method: 'password',
      password: 'seven quiet otters at dawn',
    });
    const answer = await app.request(theOther, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${fresh}` },
    });
    expect(answer.status).toBe(204);
    expect(await auth.authenticate(other.token)).toBeNull();
  });

  test('staff see and end the sessions of anybody, and are named for it', async ({ db }) => {
    const audited: { type: string; actor: object }[] = [];
    const { auth, session } = openAuth(db, {
      audit: async ({ type, actor }) => void audited.push({ type, actor }),
    });
    const [person, stranger] = [await session(), await session()];
    const again = await session(person.email);
    expect(await auth.sessions.listOf(person.user.id)).toHaveLength(2);
    const actor = { type: 'user', id: stranger.user.id } as const;
    expect(await auth.sessions.revokeAllOf(person.user.id, actor)).toBe(2);
    for (const { token } of [person, again]) expect(await auth.authenticate(token)).toBeNull();
    expect(await auth.authenticate(stranger.token)).not.toBeNull();
    expect(audited.filter(({ type }) => type === 'auth.session.revoked')).toEqual([
      { type: 'auth.session.revoked', actor },
      { type: 'auth.session.revoked', actor },
    ]);
  });
});
