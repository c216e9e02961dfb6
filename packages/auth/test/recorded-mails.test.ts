import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted, type AuthAuditEvent } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';

const system = { type: 'system', id: null } as const;

describeDatabases('links that are mailed', [authMigrations], (test) => {
  test('every new link of a registration stands in the log, asked for or by signing in', async ({
    db,
  }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    await outbox.next('verify', email);
    using seen = recordEvents(acted);
    const resent = () =>
      seen.events.filter(({ payload }) => payload.type === 'auth.user.verification_resent');
    await auth.resendVerification({ email });
    await outbox.next('verify', email);
    expect(resent()).toHaveLength(1);
    await codeOf(auth.login({ email, password }));
    await outbox.next('verify', email);
    expect(resent()).toHaveLength(2);
  });

  test('the link to choose a password after a contested registration stands in the log', async ({
    db,
  }) => {
    const entries: AuthAuditEvent[] = [];
    const { auth, outbox } = openAuth(db, { audit: async (event) => void entries.push(event) });
    const email = someone();
    await auth.register({ email, password });
    await outbox.next('verify', email);
    await auth.register({ email, password: newPassword });
    const origin = { requestId: 'r1' };
    await auth.verify({ token: await outbox.nextToken('verify', email) }, { origin });
    await outbox.next('reset_password', email);
    expect(entries.at(-1)).toMatchObject({
      type: 'auth.password.reset_requested',
      actor: { type: 'system', id: null, reason: 'contested registration' },
      requestId: 'r1',
    });
  });

  test('a link to choose a password is in the log if it exists, and only then', async ({ db }) => {
    const entries: string[] = [];
    let isDown = true;
    const { auth, outbox, session } = openAuth(db, {
      audit: async ({ type }) => {
        entries.push(type);
        if (isDown && type === 'auth.password.reset_requested') throw new Error('no log');
      },
    });
    const { email, user } = await session();
    const tokens = () =>
      db
        .selectFrom('svc_auth.one_time_tokens')
        .select('id')
        .where('purpose', '=', 'reset_password')
        .where('user_id', '=', user.id)
        .execute();
    await auth.forgotPassword({ email });
    await auth.stop();
    expect(await tokens()).toEqual([]);
    isDown = false;
    await auth.forgotPassword({ email });
    await outbox.next('reset_password', email);
    expect(await tokens()).toHaveLength(1);
    const gone = await session();
    entries.length = 0;
    await transact(db, async (within) => {
      await auth.forgotPassword({ email: gone.email }, { within });
      await auth.users.disable(gone.user.id, system, { within });
    });
    await auth.stop();
    expect(entries).toEqual(['auth.user.disabled']);
  });

  test('what a request says of itself is written down cleaned, whoever acts', async ({ db }) => {
    const entries: AuthAuditEvent[] = [];
    const { auth, session } = openAuth(db, { audit: async (event) => void entries.push(event) });
    const { principal, user } = await session();
    const origin = { device: `Net\u0000scape${'x'.repeat(300)}`, requestId: 'r\n1' };
    await auth.login({ email: user.email, password }, { origin: { ...origin, deviceToken: null } });
    await auth.sessions.revokeOthers(principal, { origin });
    await auth.users.setRoles(user.id, [], system, { origin });
    expect(entries.slice(-3).map(({ requestId }) => requestId)).toEqual(['r1', 'r1', 'r1']);
    for (const { personal } of entries.slice(-3))
      expect(personal['device']).toMatch(/^Netscapex+$/);
    expect((await auth.devices.list(principal))[0]?.name).toMatch(/^Netscapex+$/);
  });
});

describeDatabases('purging', [authMigrations], (test) => {
  test('deletes links that stopped working 30 days ago, and apps that were not confirmed', async ({
    db,
  }) => {
    const { auth, outbox, session, clock } = openAuth(db);
    const email = someone();
    await auth.register({ email, password, name: 'Eve' });
    await outbox.next('verify', email);
    const { principal } = await session();
    await auth.mfa.enrolTotp(principal);
    const before = await auth.purge();
    expect([before.oneTimeTokens, before.totpEnrolments]).toEqual([0, 0]);
    await clock.advance('16m');
    expect(await auth.purge()).toMatchObject({ oneTimeTokens: 0, totpEnrolments: 1 });
    await clock.advance('31d');
    // The registration that waits, and the used link of the other one.
    expect(await auth.purge()).toMatchObject({ oneTimeTokens: 2, totpEnrolments: 0 });
    expect(await db.selectFrom('svc_auth.one_time_tokens').select('id').execute()).toEqual([]);
  });
});
