import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, openAuth, password } from './open-auth.ts';

const staff = { type: 'user', id: '01900000-0000-7000-8000-000000000009' } as const;
const nobody = '01900000-0000-7000-8000-000000000000';

describeDatabases('user management', [authMigrations], (test) => {
  test('roles are in force with the next request, and names that are no role are refused', async ({
    db,
  }) => {
    const { auth, session } = openAuth(db);
    const { token, user } = await session();
    const permissions = async () => [...((await auth.authenticate(token))?.permissions ?? [])];
    expect(await permissions()).toEqual([]);
    using seen = recordEvents(acted);
    await auth.users.setRoles(user.id, ['support', 'user', 'support'], staff);
    expect(seen.events.at(-1)?.payload).toMatchObject({
      type: 'auth.user.roles_changed',
      userId: user.id,
      details: { roles: 'support' },
    });
    expect(await permissions()).toEqual(['user.read', 'billing.read', 'security.session.list']);
    await auth.users.setRoles(user.id, [], staff);
    expect(await permissions()).toEqual([]);
    expect(await codeOf(auth.users.setRoles(user.id, ['king' as 'admin'], staff))).toBe(
      'core.validation_failed',
    );
  });

  test('who is disabled is out at once, everywhere, until enabled', async ({ db }) => {
    const { auth, session } = openAuth(db);
    const { token, user, email } = await session();
    await auth.users.disable(user.id, staff);
    expect(await auth.authenticate(token)).toBeNull();
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    expect((await auth.users.get(user.id)).disabledAt).not.toBeNull();
    await auth.users.enable(user.id, staff);
    expect(await auth.authenticate(token)).toBeNull();
    await auth.login({ email, password });
  });

  test('who is deleted is out at once, with all that is theirs, and their address is free', async ({
    db,
  }) => {
    const { auth, member, session } = openAuth(db);
    const { token, user, email } = await session();
    await auth.users.setRoles(user.id, ['support'], staff);
    const principal = await auth.authenticate(token);
    if (principal === null) throw new Error('no session');
    const { key } = await auth.apiKeys.create(principal, { name: 'x', scopes: ['user.read'] });
    const undone = transact(db, async (within) => {
      await auth.users.delete(user.id, staff, { within });
      throw new Error('something else went wrong');
    });
    await expect(undone).rejects.toThrow('something else');
    expect((await auth.authenticate(token))?.userId).toBe(user.id);
    using seen = recordEvents(acted);
    await auth.users.delete(user.id, staff);
    expect(seen.events.map(({ payload }) => payload)).toMatchObject([
      { type: 'auth.user.deleted', userId: user.id },
    ]);
    for (const shown of [token, key]) expect(await auth.authenticate(shown)).toBeNull();
    expect(await codeOf(auth.users.get(user.id))).toBe('auth.user_not_found');
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    const rows = await Promise.all(
      ['sessions', 'api_keys', 'identities', 'password_credentials', 'one_time_tokens'].map(
        async (name) =>
          (
            await sql`select from ${sql.id('svc_auth', name)} where user_id = ${user.id}`.execute(
              db,
            )
          ).rows.length,
      ),
    );
    expect(rows).toEqual([0, 0, 0, 0, 0]);
    await member(email);
    expect((await auth.users.list({ limit: 1, email }))[0]?.id).not.toBe(user.id);
  });

  test('users are listed newest first, page by page, or found by their address', async ({ db }) => {
    const { auth, member } = openAuth(db);
    const emails = [await member(), await member(), await member()];
    const page = await auth.users.list({ limit: 2 });
    expect(page.map(({ email }) => email)).toEqual([emails[2], emails[1]]);
    const rest = await auth.users.list({ limit: 2, before: page[1]?.id });
    expect(rest[0]?.email).toBe(emails[0]);
    expect(await auth.users.list({ limit: 2, email: emails[1]?.toUpperCase() })).toHaveLength(1);
    expect(await auth.users.list({ limit: 2, email: 'nobody@example.com' })).toEqual([]);
  });

  test('an address is found however it is spelt, and what is no address or id is refused', async ({
    db,
  }) => {
    const { auth, member } = openAuth(db);
    await member('ada@xn--bcher-kva.example');
    for (const email of ['ada@bücher.example', 'ADA@xn--bcher-kva.example', ' ada@BÜCHER.example'])
      expect(await auth.users.list({ limit: 2, email })).toHaveLength(1);
    for (const wrong of [{ email: 'no address' }, { before: 'no id' }, { before: '' }])
      expect(await codeOf(auth.users.list({ limit: 2, ...wrong }))).toBe('core.validation_failed');
  });

  test('what is done to nobody is refused', async ({ db }) => {
    const { auth } = openAuth(db);
    for (const id of [nobody, 'no id']) {
      expect(await codeOf(auth.users.get(id))).toBe('auth.user_not_found');
      expect(await codeOf(auth.users.setRoles(id, [], staff))).toBe('auth.user_not_found');
      expect(await codeOf(auth.users.disable(id, staff))).toBe('auth.user_not_found');
      expect(await codeOf(auth.users.enable(id, staff))).toBe('auth.user_not_found');
      expect(await codeOf(auth.users.delete(id, staff))).toBe('auth.user_not_found');
    }
  });
});
