import { recordEvents } from '@svc/core/testing';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { fastHashing, signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';

describeDatabases('login', [authMigrations], (test) => {
  test('unknown, wrong, unverified and disabled are refused alike, and operators are told which', async ({
    db,
  }) => {
    const { auth, member } = openAuth(db);
    const [unverified, wrong, disabled] = [someone(), await member(), await member()];
    await auth.register({ email: unverified, password });
    await db
      .updateTable('svc_auth.users')
      .set({ disabled_at: new Date(0) })
      .where('email', '=', disabled)
      .execute();
    using seen = recordEvents(acted);
    const refusals = [];
    for (const attempt of [
      { email: someone(), password },
      { email: wrong, password: newPassword },
      { email: unverified, password },
      { email: disabled, password },
    ]) {
      refusals.push(await auth.login(attempt).catch((error: unknown) => error));
    }
    await auth.stop();
    expect(new Set(refusals.map((each) => JSON.stringify([String(each), each])))).toHaveLength(1);
    expect(refusals[0]).toMatchObject({
      code: 'auth.invalid_credentials',
      kind: 'unauthenticated',
      details: {},
    });
    const failed = seen.events.filter(({ payload }) => payload.type === 'auth.login.failed');
    expect(failed.map(({ payload }) => payload.details['reason'])).toEqual([
      'unknown_user',
      'wrong_password',
      'unverified',
      'disabled',
    ]);
    expect(seen.events[0]?.payload).toEqual({
      type: 'auth.login.failed',
      outcome: 'failure',
      userId: null,
      details: { reason: 'unknown_user' },
    });
  });

  test('each login gives a new token, and the session it replaces ends', async ({ db }) => {
    const { auth, member } = openAuth(db);
    const email = await member();
    const first = signedIn(await auth.login({ email, password }));
    const other = signedIn(await auth.login({ email, password }));
    const second = signedIn(await auth.login({ email, password, previousToken: first.token }));
    expect(second.token).not.toBe(first.token);
    expect(await auth.authenticate(first.token)).toBeNull();
    expect(await auth.authenticate(other.token)).not.toBeNull();
    expect(await auth.authenticate(second.token)).not.toBeNull();
  });

  test('a failed login leaves the former session alive', async ({ db }) => {
    const { auth, member } = openAuth(db);
    const email = await member();
    const first = signedIn(await auth.login({ email, password }));
    await codeOf(auth.login({ email, password: newPassword, previousToken: first.token }));
    expect(await auth.authenticate(first.token)).not.toBeNull();
  });

  test('logging out ends the session at once, once, and keeps its row', async ({ db }) => {
    const { auth, member, clock } = openAuth(db);
    const { token, session, user } = signedIn(
      await auth.login({ email: await member(), password }),
    );
    using seen = recordEvents(acted);
    await auth.logout({ token });
    await auth.logout({ token });
    expect(await auth.authenticate(token)).toBeNull();
    expect(seen.events.map(({ payload }) => payload)).toEqual([
      {
        type: 'auth.logout',
        outcome: 'success',
        userId: user.id,
        details: { sessionId: session.id },
      },
    ]);
    const rows = await db
      .selectFrom('svc_auth.sessions')
      .select(['revoked_at', 'revoke_reason'])
      .where('id', '=', session.id)
      .execute();
    expect(rows).toEqual([{ revoked_at: clock.now(), revoke_reason: 'logout' }]);
  });

  test('device and address are kept with the session, bounded and without control characters', async ({
    db,
  }) => {
    const { auth, member } = openAuth(db);
    using seen = recordEvents(acted);
    const email = await member();
    const origin = {
      device: `Browser\0\r\n${'x'.repeat(500)}`,
      address: '2001:db8::/64',
    };
    const { session, user } = signedIn(await auth.login({ email, password }, { origin }));
    expect(session.device).toBe(`Browser${'x'.repeat(190)}`);
    expect(session.address).toBe('2001:db8::/64');
    expect(seen.events.at(-1)?.payload).toEqual({
      type: 'auth.login.succeeded',
      outcome: 'success',
      userId: user.id,
      details: { sessionId: session.id, method: 'pwd', level: 1 },
    });
  });

  test('a hash of former parameters is exchanged after a login, and both before and after the password fits', async ({
    db,
  }) => {
    const { member, outbox } = openAuth(db);
    const email = await member();
    const { auth } = openAuth(db, {
      hashing: { ...fastHashing, memoryKib: 128 },
      sendMail: outbox.sendMail,
    });
    const phc = async () => {
      const query = db
        .selectFrom('svc_auth.password_credentials as c')
        .innerJoin('svc_auth.users as u', 'u.id', 'c.user_id');
      return (await query.select('c.phc').where('u.email', '=', email).executeTakeFirstOrThrow())
        .phc as string;
    };
    expect(await phc()).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$/);
    await auth.login({ email, password });
    await auth.stop();
    const rehashed = await phc();
    expect(rehashed).toMatch(/^\$argon2id\$v=19\$m=128,t=1,p=1\$/);
    await auth.login({ email, password });
    await auth.stop();
    expect(await phc()).toBe(rehashed);
  });

  test('a password is the same in every Unicode form, and is never cut', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    const numbers = Array.from({ length: 300 }, (_, index) => (index * 7919) % 9973).join(' ');
    const long = `é${numbers}`.slice(0, 1023);
    await auth.register({ email, password: `${long}a`.normalize('NFD') });
    await auth.verify({ token: await outbox.nextToken('verify', email) });
    await auth.login({ email, password: `${long}a`.normalize('NFC') });
    expect(await codeOf(auth.login({ email, password: `${long}b` }))).toBe(
      'auth.invalid_credentials',
    );
  });
});
