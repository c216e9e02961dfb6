import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, newPassword, password, someone, tally } from './open-auth.ts';
import { cookieOf, openMfa, openMfaApp } from './open-mfa.ts';

const ours = { 'sec-fetch-site': 'same-origin' };
const change = { currentPassword: password, password: newPassword };

describeDatabases('a change of password', [authMigrations], (test) => {
  test('ends all other sessions, keeps this one under a new token, and tells the owner', async ({
    db,
  }) => {
    const { auth, outbox, session, principalOf } = openMfa(db);
    const { email, token, principal, user } = await session();
    const others = [await session(email), await session(email)];
    using seen = recordEvents(acted);
    const changed = await auth.account.changePassword(principal, change);
    expect(await auth.authenticate(token)).toBeNull();
    for (const other of others) expect(await auth.authenticate(other.token)).toBeNull();
    expect((await principalOf(changed.token)).session?.id).toBe(principal.session?.id);
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    await auth.login({ email, password: newPassword });
    await outbox.next('password_changed', email);
    expect(seen.events.map(({ payload }) => payload)).toContainEqual({
      type: 'auth.password.changed',
      outcome: 'success',
      userId: user.id,
      details: { sessionsEnded: 2, devicesForgotten: 0 },
    });
  });

  test('forgets devices and voids mailed links, and leaves API keys', async ({ db }) => {
    const { auth, outbox, member, principalOf } = openMfa(db);
    const email = await member();
    const [known] = await auth.users.list({ limit: 1, email });
    await auth.users.setRoles(known?.id ?? '', ['support'], { type: 'system', id: null });
    const { token } = signedIn(
      await auth.login({ email, password }, { origin: { deviceToken: null } }),
    );
    const principal = await principalOf(token);
    const { key } = await auth.apiKeys.create(principal, { name: 'build', scopes: ['user.read'] });
    await auth.forgotPassword({ email });
    const reset = await outbox.nextToken('reset_password', email);
    const next = someone();
    await auth.account.requestEmailChange(principal, { email: next });
    const confirm = await outbox.nextToken('confirm_email', next);
    expect(await auth.devices.list(principal)).toHaveLength(1);
    await auth.account.changePassword(principal, change);
    expect(await auth.devices.list(principal)).toEqual([]);
    expect(await codeOf(auth.resetPassword({ token: reset, password }))).toBe('auth.invalid_token');
    expect(await codeOf(auth.account.confirmEmailChange({ token: confirm }))).toBe(
      'auth.invalid_token',
    );
    expect((await auth.authenticate(key))?.apiKey?.name).toBe('build');
  });

  test('a wrong current password is refused, recorded and, after some, the right one too', async ({
    db,
  }) => {
    const { auth, session, clock } = openMfa(db);
    const { principal, email } = await session();
    const attempt = (currentPassword: string, next = newPassword) =>
      codeOf(auth.account.changePassword(principal, { currentPassword, password: next }));
    using seen = recordEvents(acted);
    for (let guess = 0; guess < 12; guess += 1)
      expect(await attempt(newPassword)).toBe('auth.invalid_credentials');
    const changes = seen.events.filter(({ payload }) => payload.type === 'auth.password.changed');
    expect(changes[0]?.payload).toMatchObject({
      outcome: 'failure',
      details: { reason: 'wrong_password' },
    });
    expect(await attempt(password)).toBe('auth.invalid_credentials');
    // One guess would be told from another by what is said about the new password.
    expect(await attempt(password, 'short')).toBe('core.validation_failed');
    expect(await attempt(newPassword, 'short')).toBe('core.validation_failed');
    await auth.login({ email, password });
    await clock.advance('1h');
    expect(await attempt(password)).toBe('no failure');
  });

  test('step-up and a change share one count of wrong passwords', async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal } = await session();
    for (let guess = 0; guess < 6; guess += 1)
      await codeOf(auth.mfa.stepUp(principal, { method: 'password', password: newPassword }));
    expect(await codeOf(auth.account.changePassword(principal, change))).toBe(
      'auth.invalid_credentials',
    );
  });

  test('the new password is judged like that of a registration', async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal, email } = await session();
    for (const [bad, pointer] of [
      [{ ...change, password: 'too short' }, '/password'],
      [{ ...change, password: `${email.split('@')[0]}-Ada-example` }, '/password'],
      [{ ...change, currentPassword: 'nul\0' }, '/currentPassword'],
    ] as const) {
      const attempt = auth.account.changePassword(principal, bad);
      await expect(attempt).rejects.toMatchObject({ details: { errors: [{ pointer }] } });
    }
  });

  test('who has no password chooses a first one, and proves nothing by it', async ({ db }) => {
    const { auth, session, clock, principalOf } = openMfa(db);
    const { principal, email, user } = await session();
    expect(await codeOf(auth.account.changePassword(principal, { password: newPassword }))).toBe(
      'auth.invalid_credentials',
    );
    await db.deleteFrom('svc_auth.password_credentials').where('user_id', '=', user.id).execute();
    await db
      .updateTable('svc_auth.sessions')
      .set({ methods: ['federated'] })
      .where('user_id', '=', user.id)
      .execute();
    await clock.advance('1h');
    expect(await codeOf(auth.account.changePassword(principal, change))).toBe(
      'auth.invalid_credentials',
    );
    const { token } = await auth.account.changePassword(principal, { password: newPassword });
    expect((await principalOf(token)).session).toMatchObject({
      methods: ['federated'],
      authenticatedAt: principal.session?.authenticatedAt,
    });
    await auth.login({ email, password: newPassword });
  });

  test('a session that has ended changes nothing', async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal, token, email } = await session();
    await auth.logout({ token });
    const changed = auth.account.changePassword(principal, change);
    expect(await codeOf(changed)).toBe('auth.unauthenticated');
    await auth.login({ email, password });
  });

  test('in a transaction that rolls back it changes nothing and mails nobody', async ({ db }) => {
    const { auth, session, outbox } = openMfa(db);
    const { principal, token, email } = await session();
    const mind = new Error('of mind');
    const attempt = transact(db, async (trx) => {
      await auth.account.changePassword(principal, change, { within: trx });
      throw mind;
    });
    await expect(attempt).rejects.toBe(mind);
    await auth.stop();
    expect(await auth.authenticate(token)).not.toBeNull();
    await auth.login({ email, password });
    expect(outbox.mails.some(({ template }) => template === 'password_changed')).toBe(false);
  });

  test('over HTTP: by cookie and by bearer, the new token goes where the former one came from', async ({
    db,
  }) => {
    const { app, send, member } = openMfaApp(db);
    const email = await member();
    const cookie = cookieOf(await send('POST', '/auth/login', { email, password }));
    const byCookie = await send('POST', '/auth/password/change', change, { cookie, ...ours });
    expect(byCookie.status).toBe(200);
    const body = (await byCookie.json()) as object;
    expect(body).toMatchObject({ user: { email }, session: { level: 1 } });
    expect(body).not.toHaveProperty('token');
    const me = (headers: Record<string, string>) => app.request('/auth/me', { headers });
    expect((await me({ cookie })).status).toBe(401);
    expect((await me({ cookie: cookieOf(byCookie) })).status).toBe(200);
    const login = { email, password: newPassword, transport: 'bearer' };
    const { token } = (await (await send('POST', '/auth/login', login)).json()) as {
      token: string;
    };
    const back = { currentPassword: newPassword, password };
    const authorization = `Bearer ${token}`;
    const byBearer = await send('POST', '/auth/password/change', back, { authorization });
    expect(byBearer.headers.get('set-cookie')).toBeNull();
    const { token: next } = (await byBearer.json()) as { token: string };
    expect((await me({ authorization: `Bearer ${next}` })).status).toBe(200);
    expect((await me({ authorization })).status).toBe(401);
  });

  test('over HTTP: foreign pages, strangers, other fields and stale first passwords are refused', async ({
    db,
  }) => {
    const { send, session, clock, auth } = openMfaApp(db);
    const { token, email, user } = await session();
    const headers = { authorization: `Bearer ${token}` };
    const post = async (body: unknown, by: Record<string, string> = headers) => {
      const answer = await send('POST', '/auth/password/change', body, by);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    expect(await post(change, {})).toEqual([401, 'auth.unauthenticated']);
    expect(
      (await post(change, { cookie: `__Host-sid=${token}`, origin: 'https://evil.example' }))[0],
    ).toBe(403);
    expect(await post({ ...change, roles: ['admin'] })).toEqual([400, 'core.validation_failed']);
    await db.deleteFrom('svc_auth.password_credentials').where('user_id', '=', user.id).execute();
    await clock.advance('11m');
    expect(await post({ password: newPassword })).toEqual([
      401,
      'auth.insufficient_user_authentication',
    ]);
    expect(await codeOf(auth.login({ email, password: newPassword }))).toBe(
      'auth.invalid_credentials',
    );
  });
});

const raceTest = databaseTest([authMigrations]);

raceTest(
  'no login with the old password survives a change, in whichever order they meet',
  async ({ db }) => {
    const { auth, session } = openMfa(db);
    for (let round = 0; round < 10; round += 1) {
      const { email, principal } = await session();
      const logins = Array.from({ length: 8 }, () => auth.login({ email, password }));
      await auth.account.changePassword(principal, change);
      for (const each of await Promise.allSettled(logins)) {
        if (each.status === 'fulfilled')
          expect(await auth.authenticate(signedIn(each.value).token)).toBeNull();
        else expect(each.reason).toMatchObject({ code: 'auth.invalid_credentials' });
      }
    }
  },
);

raceTest('of 50 changes at once from one current password, one succeeds', async ({ db }) => {
  const { auth, session } = openMfa(db);
  const { principal, email } = await session();
  const attempts = Array.from({ length: 50 }, (_, index) =>
    auth.account.changePassword(principal, {
      currentPassword: password,
      password: `${newPassword} ${index}`,
    }),
  );
  expect(await tally(attempts)).toEqual({ fulfilled: 1, codes: ['auth.invalid_credentials'] });
  const winner = (await Promise.allSettled(attempts)).findIndex(
    ({ status }) => status === 'fulfilled',
  );
  await auth.login({ email, password: `${newPassword} ${winner}` });
});

raceTest(
  'a burst of wrong current passwords gets no more tries than one by one',
  async ({ db }) => {
    const { auth, session } = openMfa(db);
    const { principal } = await session();
    using seen = recordEvents(acted);
    const guesses = Array.from({ length: 50 }, (_, index) =>
      auth.account.changePassword(principal, { ...change, currentPassword: `a guess, ${index}` }),
    );
    expect(await tally(guesses)).toEqual({ fulfilled: 0, codes: ['auth.invalid_credentials'] });
    const judged = seen.events.filter(
      ({ payload }) => payload.details['reason'] === 'wrong_password',
    );
    expect(judged).toHaveLength(6);
  },
);
