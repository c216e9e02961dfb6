import { recordEvents } from '@svc/core/testing';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf } from './open-auth.ts';
import { openMfa, openMfaApp } from './open-mfa.ts';

/** What nobody may write about themselves. */
const protectedFields: Readonly<Record<string, unknown>> = {
  id: '01900000-0000-7000-8000-000000000000',
  userId: '01900000-0000-7000-8000-000000000000',
  email: 'other@example.com',
  email_normalized: 'other@example.com',
  roles: ['admin'],
  permissions: ['user.write'],
  tenant: 'other',
  tenantId: '01900000-0000-7000-8000-000000000000',
  tenant_id: '01900000-0000-7000-8000-000000000000',
  verified: true,
  verifiedAt: null,
  verified_at: null,
  emailVerified: true,
  disabledAt: null,
  disabled_at: null,
  mfaEnabled: false,
  mfaEnabledAt: null,
  mfa_enabled_at: null,
  level: 2,
  password: 'eight loud badgers at dusk',
  version: 7,
  createdAt: '2020-01-01T00:00:00Z',
};

describeDatabases('what somebody is called', [authMigrations], (test) => {
  const rowOf = (db: Parameters<typeof openMfa>[0], id: string) =>
    db.selectFrom('svc_auth.users').selectAll().where('id', '=', id).executeTakeFirstOrThrow();

  test('can be changed, and left out', async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal, token, user } = await session();
    using seen = recordEvents(acted);
    expect(await auth.account.rename(principal, { name: '  Grace Hopper ' })).toEqual({
      ...user,
      name: 'Grace Hopper',
    });
    expect((await auth.authenticate(token))?.user.name).toBe('Grace Hopper');
    expect((await auth.account.rename(principal, { name: null })).name).toBeNull();
    expect(seen.events[0]?.payload).toEqual({
      type: 'auth.user.renamed',
      outcome: 'success',
      userId: user.id,
      details: {},
    });
  });

  test('must be text of at most 200 characters', async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal } = await session();
    for (const name of ['x'.repeat(201), 'a\u0000b', 'line\nbreak'])
      expect(await codeOf(auth.account.rename(principal, { name }))).toBe('core.validation_failed');
  });

  test('is all that a caller can write by it, whatever the input holds', async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal, user } = await session();
    const before = await rowOf(db, user.id);
    const input = { ...protectedFields, name: 'Grace' } as { name: string };
    await auth.account.rename(principal, input);
    expect(await rowOf(db, user.id)).toEqual({ ...before, name: 'Grace', version: 3 });
  });

  test('over HTTP: roles, tenant, verification, second factors and all else are refused, and nothing changes', async ({
    db,
  }) => {
    const { send, enrolled, principalOf, auth } = openMfaApp(db);
    const { token, principal } = await enrolled();
    const headers = { authorization: `Bearer ${token}` };
    const before = await rowOf(db, principal.userId);
    for (const [field, value] of Object.entries(protectedFields)) {
      const answer = await send('PATCH', '/auth/me', { name: 'Grace', [field]: value }, headers);
      expect([field, answer.status]).toEqual([field, 400]);
    }
    for (const body of [{}, [], { name: 7 }, { __proto__: { name: 'Grace' } }])
      expect((await send('PATCH', '/auth/me', body, headers)).status).toBe(400);
    expect(await rowOf(db, principal.userId)).toEqual(before);
    const renamed = await send('PATCH', '/auth/me', { name: 'Grace' }, headers);
    expect(renamed.status).toBe(200);
    expect(await renamed.json()).toMatchObject({
      user: { name: 'Grace', mfaEnabled: true },
      session: { id: principal.session?.id, level: 2 },
    });
    expect((await principalOf(token)).roles).toEqual(['user']);
    await auth.stop();
  });

  test('over HTTP: strangers and foreign pages change nothing', async ({ db }) => {
    const { send, session } = openMfaApp(db);
    const { token } = await session();
    expect((await send('PATCH', '/auth/me', { name: 'Grace' })).status).toBe(401);
    const foreign = { cookie: `__Host-sid=${token}`, origin: 'https://evil.example' };
    expect((await send('PATCH', '/auth/me', { name: 'Grace' }, foreign)).status).toBe(403);
  });
});
