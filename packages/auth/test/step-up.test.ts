import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { requireUser } from '../src/hono.ts';
import { authMigrations } from '../src/migrations.ts';
import { totpCode } from '../src/testing.ts';
import { codeOf, newPassword, password } from './open-auth.ts';
import { cookieOf, openMfaApp } from './open-mfa.ts';

const ours = { 'sec-fetch-site': 'same-origin' };

describeDatabases('step-up', [authMigrations], (test) => {
  test('a second factor raises this session under a new token, and no other', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode, principalOf, clock } = openMfaApp(db);
    const { email, secret, token, principal } = await enrolled();
    const other = await auth.mfa.answerChallenge({
      challenge: await challenge(email),
      method: 'totp',
      code: await nextCode(secret),
    });
    const shownBefore = (await principalOf(other.token)).session?.secondFactorAt;
    await clock.advance('1h');
    const code = await nextCode(secret);
    const raised = await auth.mfa.stepUp(principal, { method: 'totp', code });
    expect(raised.session).toMatchObject({ id: principal.session?.id, level: 2 });
    expect(raised.session.secondFactorAt).toEqual(clock.now());
    expect(await auth.authenticate(token)).toBeNull();
    expect((await principalOf(other.token)).session?.secondFactorAt).toEqual(shownBefore);
  });

  test('a password makes a session fresh, and is no second factor', async ({ db }) => {
    const { auth, session, enrolled, clock } = openMfaApp(db);
    const { principal, email } = await session();
    await clock.advance('1h');
    const fresh = await auth.mfa.stepUp(principal, { method: 'password', password });
    expect(fresh.session).toMatchObject({ level: 1, authenticatedAt: clock.now() });
    const { principal: raised } = await enrolled(email);
    const shownAt = raised.session?.secondFactorAt;
    await clock.advance('1h');
    const after = await auth.mfa.stepUp(raised, { method: 'password', password });
    expect(after.session).toMatchObject({ level: 2, secondFactorAt: shownAt });
  });

  test('wrong passwords are refused and, after some, right ones too', async ({ db }) => {
    const { auth, session, clock } = openMfaApp(db);
    const { principal } = await session();
    const show = (typed: string) =>
      codeOf(auth.mfa.stepUp(principal, { method: 'password', password: typed }));
    for (let attempt = 0; attempt < 12; attempt += 1)
      expect(await show(newPassword)).toBe('auth.invalid_credentials');
    expect(await show(password)).toBe('auth.invalid_credentials');
    await clock.advance('1h');
    expect(await show(password)).toBe('no failure');
  });

  test('a session that has ended raises nothing', async ({ db }) => {
    const { auth, session } = openMfaApp(db);
    const { principal, token } = await session();
    await auth.logout({ token });
    const shown = { method: 'password', password } as const;
    expect(await codeOf(auth.mfa.stepUp(principal, shown))).toBe('auth.unauthenticated');
  });

  test('a route that asks for level 2 within 5 minutes says so, and lets pass after step-up', async ({
    db,
  }) => {
    const { app, auth, enrolled, send, clock, nextCode } = openMfaApp(db);
    app.get('/vault', requireUser(auth, { level: 2, maxAge: '5m' }), (c) => c.text('open'));
    const { token, secret } = await enrolled();
    const get = (bearer: string) =>
      app.request('/vault', { headers: { authorization: `Bearer ${bearer}` } });
    expect((await get(token)).status).toBe(200);
    await clock.advance('6m');
    const refused = await get(token);
    expect(refused.status).toBe(401);
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", error_description="Confirm that it is you to do this.", acr_values="2", max_age="300"',
    );
    expect(await refused.json()).toMatchObject({
      code: 'auth.insufficient_user_authentication',
    });
    const bearer = { authorization: `Bearer ${token}` };
    const byPassword = await send(
      'POST',
      '/auth/step-up',
      { method: 'password', password },
      bearer,
    );
    const { token: second } = (await byPassword.json()) as { token: string };
    expect((await get(second)).status).toBe(401);
    const code = await nextCode(secret);
    const raised = await send(
      'POST',
      '/auth/step-up',
      { method: 'totp', code },
      { authorization: `Bearer ${second}` },
    );
    const { token: third } = (await raised.json()) as { token: string };
    expect((await get(third)).status).toBe(200);
    expect((await get(second)).status).toBe(401);
  });

  test('over HTTP: set up, sign in with the second factor, make codes, remove, by cookie', async ({
    db,
  }) => {
    const { app, send, clock, member, nextCode, requestLog, logger } = openMfaApp(db);
    const email = await member();
    let cookie = cookieOf(await send('POST', '/auth/login', { email, password }));
    const get = async () =>
      (await app.request('/auth/mfa', { headers: { cookie } })).json() as Promise<unknown>;
    expect(await get()).toEqual({ totp: false, passkeys: 0, recoveryCodesLeft: 0 });
    const enrolment = await send('POST', '/auth/mfa/totp', undefined, { cookie, ...ours });
    expect(enrolment.headers.get('cache-control')).toBe('no-store');
    const { secret, qrSvg } = (await enrolment.json()) as { secret: string; qrSvg: string };
    expect(qrSvg).toContain('<svg');
    const code = totpCode(secret, clock.now());
    const confirmed = await send('POST', '/auth/mfa/totp/confirm', { code }, { cookie, ...ours });
    const body = (await confirmed.json()) as { recoveryCodes: string[]; token?: string };
    expect(body).toMatchObject({ user: { mfaEnabled: true }, session: { level: 2 } });
    expect([body.recoveryCodes.length, body.token]).toEqual([10, undefined]);
    expect((await app.request('/auth/me', { headers: { cookie } })).status).toBe(401);
    cookie = cookieOf(confirmed);
    expect(await get()).toEqual({ totp: true, passkeys: 0, recoveryCodesLeft: 10 });

    const half = await send('POST', '/auth/login', { email, password });
    expect([half.status, half.headers.get('set-cookie')]).toEqual([202, null]);
    const { challenge } = (await half.json()) as { challenge: string };
    const answer = { challenge, method: 'totp', code: await nextCode(secret) };
    const foreign = { origin: 'https://evil.example' };
    expect((await send('POST', '/auth/mfa/challenge', answer, foreign)).status).toBe(403);
    const answered = await send('POST', '/auth/mfa/challenge', answer);
    expect(await answered.json()).toMatchObject({ status: 'signed_in', session: { level: 2 } });
    cookie = cookieOf(answered);

    await clock.advance('11m');
    for (const [method, path] of [
      ['POST', '/auth/mfa/totp'],
      ['DELETE', '/auth/mfa/totp'],
      ['POST', '/auth/mfa/recovery-codes'],
    ] as const) {
      const stale = await send(method, path, undefined, { cookie, ...ours });
      expect([stale.status, stale.headers.get('www-authenticate')]).toEqual([
        401,
        expect.stringContaining('acr_values="2", max_age="600"'),
      ]);
    }
    const shown = { method: 'totp', code: await nextCode(secret) };
    expect((await send('POST', '/auth/step-up', shown, { cookie, ...foreign })).status).toBe(403);
    const raised = await send('POST', '/auth/step-up', shown, { cookie, ...ours });
    expect(await raised.json()).not.toHaveProperty('token');
    cookie = cookieOf(raised);
    const made = await send('POST', '/auth/mfa/recovery-codes', undefined, { cookie, ...ours });
    expect(((await made.json()) as { recoveryCodes: string[] }).recoveryCodes).toHaveLength(10);
    const removed = await send('DELETE', '/auth/mfa/totp?endOtherSessions=true', undefined, {
      cookie,
      ...ours,
    });
    expect(removed.status).toBe(204);
    expect(await get()).toEqual({ totp: false, passkeys: 0, recoveryCodesLeft: 0 });
    const logged = JSON.stringify([requestLog.lines, logger.lines]);
    for (const secretText of [secret, code, answer.code, challenge, ...body.recoveryCodes])
      expect(logged).not.toContain(secretText);
  });

  test('a trusted browser is spared the second factor, stays at level 1, and steps up for more', async ({
    db,
  }) => {
    const { app, send, enrolled, challenge, nextCode, auth, principalOf } = openMfaApp(db);
    const { email, secret } = await enrolled();
    const answered = await send('POST', '/auth/mfa/challenge', {
      challenge: await challenge(email),
      method: 'totp',
      code: await nextCode(secret),
      trustDevice: true,
    });
    const device = answered.headers
      .getSetCookie()
      .find((each) => each.startsWith('__Host-device='))
      ?.split(';')[0] as string;
    const login = await send('POST', '/auth/login', { email, password }, { cookie: device });
    expect([login.status, await login.clone().json()]).toEqual([
      200,
      expect.objectContaining({ session: expect.objectContaining({ level: 1 }) }),
    ]);
    const cookie = `${device}; ${cookieOf(login)}`;
    expect((await send('DELETE', '/auth/mfa/totp', undefined, { cookie, ...ours })).status).toBe(
      401,
    );
    const shown = { method: 'totp', code: await nextCode(secret) };
    const raised = await send('POST', '/auth/step-up', shown, { cookie, ...ours });
    const higher = { cookie: `${device}; ${cookieOf(raised)}` };
    const me = await app.request('/auth/me', { headers: higher });
    expect(await me.json()).toMatchObject({ session: { level: 2 } });
    await auth.mfa.removeTotp(await principalOf(cookieOf(raised).slice('__Host-sid='.length)));
    await enrolled(email);
    const later = await send('POST', '/auth/login', { email, password }, { cookie: device });
    expect(later.status).toBe(202);
  });

  test('a session without its second factor can change no factor', async ({ db }) => {
    const { send, session, enrolled, app } = openMfaApp(db);
    const { email, token } = await session();
    await enrolled(email);
    const headers = { authorization: `Bearer ${token}` };
    expect((await app.request('/auth/mfa', { headers })).status).toBe(200);
    for (const [method, path] of [
      ['POST', '/auth/mfa/totp'],
      ['DELETE', '/auth/mfa/totp'],
      ['POST', '/auth/mfa/recovery-codes'],
    ] as const) {
      expect((await send(method, path, undefined, headers)).status).toBe(401);
    }
  });

  test('whoever has shown a password only gets into no route but that of the second factor', async ({
    db,
  }) => {
    const { app, auth, send, enrolled, challenge } = openMfaApp(db);
    const { email } = await enrolled();
    const token = await challenge(email);
    const routes = app.routes
      .filter(({ method, path }) => method !== 'ALL' && path !== '/auth/mfa/challenge')
      .map(({ method, path }) => ({ method, path }));
    expect(new Set(routes.map((each) => JSON.stringify(each))).size).toBeGreaterThan(14);
    const sessions = async () =>
      (await db.selectFrom('svc_auth.sessions').select('id').execute()).length;
    const before = await sessions();
    for (const { method, path } of routes) {
      for (const headers of [
        { authorization: `Bearer ${token}` },
        { cookie: `__Host-sid=${token}`, ...ours },
      ]) {
        for (const body of [{ token, password }, { email, password, challenge: token }, {}]) {
          const sent = method === 'GET' ? undefined : body;
          const answer = await send(method, path, sent, headers);
          expect(answer.headers.get('set-cookie') ?? '').not.toMatch(/__Host-sid=[\w-]/);
          expect(await answer.text(), `${method} ${path}`).not.toMatch(/"token":|signed_in/);
        }
      }
    }
    expect(await auth.authenticate(token)).toBeNull();
    expect(await sessions()).toBe(before);
  });
});
