import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn, tokenIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone, tally } from './open-auth.ts';
import { cookieOf, openMfaApp } from './open-mfa.ts';

const ours = { 'sec-fetch-site': 'same-origin' };

/** Sign-in, and somebody who waits to confirm another address. */
function openChange(db: Parameters<typeof openAuth>[0]) {
  const opened = openAuth(db);
  const { auth, outbox, session } = opened;
  const asked = async (next = someone()) => {
    const before = await session();
    await auth.account.requestEmailChange(before.principal, { email: next });
    return { ...before, next, confirm: await outbox.nextToken('confirm_email', next) };
  };
  return { ...opened, asked };
}

describeDatabases('a change of address', [authMigrations], (test) => {
  test('happens when the new address is confirmed: all sessions end, and the former one is told', async ({
    db,
  }) => {
    const { auth, outbox, session, asked } = openChange(db);
    using seen = recordEvents(acted);
    const { email, next, token, user, confirm } = await asked();
    const other = await session(email);
    await auth.login({ email, password });
    const moved = await auth.account.confirmEmailChange({ token: confirm });
    expect(moved).toMatchObject({ id: user.id, email: next, verifiedAt: user.verifiedAt });
    for (const ended of [token, other.token]) expect(await auth.authenticate(ended)).toBeNull();
    await outbox.next('email_changed', email);
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    await auth.login({ email: next, password });
    expect(seen.events.map(({ payload }) => payload)).toContainEqual({
      type: 'auth.email.changed',
      outcome: 'success',
      userId: user.id,
      details: { sessionsEnded: 3, devicesForgotten: 0 },
    });
    expect(JSON.stringify(seen.events)).not.toContain(next);
  });

  test('a link works for an hour, once, and only the newest, for one purpose', async ({ db }) => {
    const { auth, outbox, clock, session, asked } = openChange(db);
    const confirm = (token: string) => codeOf(auth.account.confirmEmailChange({ token }));
    const { principal, confirm: older } = await asked();
    const next = someone();
    await auth.account.requestEmailChange(principal, { email: next });
    const newer = await outbox.nextToken('confirm_email', next);
    expect(await confirm(older)).toBe('auth.invalid_token');
    expect(await codeOf(auth.verify({ token: newer }))).toBe('auth.invalid_token');
    expect(await codeOf(auth.resetPassword({ token: newer, password }))).toBe('auth.invalid_token');
    await clock.advance('59m');
    expect(await confirm(newer)).toBe('no failure');
    expect(await confirm(newer)).toBe('auth.invalid_token');
    const { principal: late } = await session(next);
    const last = someone();
    await auth.account.requestEmailChange(late, { email: last });
    const expired = await outbox.nextToken('confirm_email', last);
    await clock.advance('1h');
    expect(await confirm(expired)).toBe('auth.invalid_token');
  });

  test('an address with an account is mailed that, and its owner keeps it', async ({ db }) => {
    const { auth, outbox, session, member } = openChange(db);
    const { principal, email } = await session();
    const [taken, disabled] = [await member(), await member()];
    await db
      .updateTable('svc_auth.users')
      .set({ disabled_at: new Date(0) })
      .where('email', '=', disabled)
      .execute();
    const ask = (next: string) =>
      auth.account.requestEmailChange(principal, { email: next.toUpperCase() });
    expect(await ask(taken)).toBeUndefined();
    await outbox.next('already_registered', taken);
    expect(await ask(disabled)).toBeUndefined();
    await auth.stop();
    const kinds = outbox.mails.map(({ template, to }) => `${template} ${to}`);
    expect(kinds.filter((kind) => kind.includes('confirm_email'))).toEqual([]);
    expect(kinds.filter((kind) => kind.includes(disabled))).toEqual([`verify ${disabled}`]);
    await auth.login({ email, password });
  });

  test('an address that somebody took meanwhile stays theirs, and the link changes nothing', async ({
    db,
  }) => {
    const { auth, member, asked } = openChange(db);
    const { email, next, token, confirm } = await asked();
    await member(next);
    expect(await codeOf(auth.account.confirmEmailChange({ token: confirm }))).toBe(
      'auth.invalid_token',
    );
    expect(await auth.authenticate(token)).not.toBeNull();
    await auth.login({ email, password });
  });

  test('a caller whose confirmation was refused can go on in its transaction', async ({ db }) => {
    const { auth, member, asked } = openChange(db);
    const { next, confirm, principal } = await asked();
    await member(next);
    await transact(db, async (trx) => {
      const attempt = auth.account.confirmEmailChange({ token: confirm }, { within: trx });
      expect(await codeOf(attempt)).toBe('auth.invalid_token');
      await auth.account.rename(principal, { name: 'Grace' }, { within: trx });
    });
  });

  test('a reset asked for before the change does not work after it, whatever its order of mails', async ({
    db,
  }) => {
    const { auth, outbox, asked } = openChange(db);
    const { email, next, confirm } = await asked();
    await auth.forgotPassword({ email });
    const reset = await outbox.nextToken('reset_password', email);
    await auth.account.confirmEmailChange({ token: confirm });
    expect(await codeOf(auth.resetPassword({ token: reset, password: newPassword }))).toBe(
      'auth.invalid_token',
    );
    await auth.login({ email: next, password });
  });

  test('a reset whose mail was still to be written when the address changed is not mailed', async ({
    db,
  }) => {
    const { auth, outbox, clock, asked } = openChange(db);
    const { email, confirm } = await asked();
    await transact(db, async (trx) => {
      await auth.forgotPassword({ email }, { within: trx });
      await clock.advance('1s');
      await auth.account.confirmEmailChange({ token: confirm }, { within: trx });
    });
    await auth.stop();
    expect(outbox.mails.filter(({ template }) => template === 'reset_password')).toEqual([]);
  });

  test('a reset, disabling, and a session that ends meanwhile void what waits', async ({ db }) => {
    const { auth, outbox, session, asked } = openChange(db);
    const { email, confirm } = await asked();
    await auth.forgotPassword({ email });
    const reset = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token: reset, password: newPassword });
    expect(await codeOf(auth.account.confirmEmailChange({ token: confirm }))).toBe(
      'auth.invalid_token',
    );
    const second = await asked();
    await auth.users.disable(second.user.id, { type: 'system', id: null });
    expect(await codeOf(auth.account.confirmEmailChange({ token: second.confirm }))).toBe(
      'auth.invalid_token',
    );
    const third = await session();
    await auth.logout({ token: third.token });
    const asks = auth.account.requestEmailChange(third.principal, { email: someone() });
    expect(await codeOf(asks)).toBe('auth.unauthenticated');
  });

  test('another spelling of the same address is a change like any other', async ({ db }) => {
    const { auth, outbox, session } = openChange(db);
    const { principal, email } = await session();
    const spelled = email.toUpperCase().replace('EXAMPLE.COM', 'example.com');
    await auth.account.requestEmailChange(principal, { email: spelled });
    const token = await outbox.nextToken('confirm_email', spelled);
    expect((await auth.account.confirmEmailChange({ token })).email).toBe(spelled);
  });

  test('over HTTP: asked for in a fresh session of the highest level, confirmed by JSON', async ({
    db,
  }) => {
    const { send, enrolled, session, clock, nextCode, outbox, auth } = openMfaApp(db);
    const { email, token } = await session();
    const { secret, principal } = await enrolled(email);
    const next = someone();
    const ask = async (bearer: string, body: unknown = { email: next }) => {
      const answer = await send('POST', '/auth/email/change', body, {
        authorization: `Bearer ${bearer}`,
      });
      return [answer.status, (await answer.json()) as { code?: string }] as const;
    };
    expect((await ask(token))[0]).toBe(401);
    await clock.advance('11m');
    const code = await nextCode(secret);
    const raised = await auth.mfa.stepUp(principal, { method: 'totp', code });
    expect((await ask(raised.token, { email: next, verified: true }))[0]).toBe(400);
    expect(await ask(raised.token)).toEqual([202, { status: 'accepted' }]);
    const mail = await outbox.next('confirm_email', next);
    expect(mail.data.link).toMatch(/^https:\/\/app\.example\.com\/auth\/email\/confirm\?token=/);
    expect(mail.data.expiresInMinutes).toBe(60);
    const confirm = { token: tokenIn(mail.data.link) };
    const answer = await send('POST', '/auth/email/confirm', confirm);
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'email_changed' }]);
    expect((await send('POST', '/auth/email/confirm', confirm)).status).toBe(400);
    await clock.advance('11m');
    const { token: stale } = await auth.mfa.answerChallenge({
      challenge: ((await auth.login({ email: next, password })) as { challenge: string }).challenge,
      method: 'totp',
      code: await nextCode(secret),
    });
    await clock.advance('11m');
    expect(await ask(stale)).toMatchObject([
      401,
      { code: 'auth.insufficient_user_authentication' },
    ]);
  });

  test('over HTTP: the answer for a known address is that for an unknown one', async ({ db }) => {
    const { send, member } = openMfaApp(db);
    const email = await member();
    const cookie = cookieOf(await send('POST', '/auth/login', { email, password }));
    const answers = [];
    for (const next of [await member(), someone()]) {
      const answer = await send('POST', '/auth/email/change', { email: next }, { cookie, ...ours });
      const headers = [...answer.headers].filter(([name]) => name !== 'x-request-id');
      answers.push([answer.status, headers, await answer.text()]);
    }
    expect(answers[0]).toEqual(answers[1]);
  });

  test('over HTTP: opening the link shows a page with a button and uses nothing up', async ({
    db,
  }) => {
    const { app, auth, session, outbox } = openMfaApp(db);
    const { principal } = await session();
    const next = someone();
    await auth.account.requestEmailChange(principal, { email: next });
    const token = await outbox.nextToken('confirm_email', next);
    const press = (value: string) =>
      app.request('/auth/email/confirm', {
        method: 'POST',
        body: new URLSearchParams({ token: value }),
      });
    for (let look = 0; look < 2; look += 1) {
      const page = await app.request(`/auth/email/confirm?token=${token}`);
      expect([page.status, page.headers.get('referrer-policy')]).toEqual([200, 'no-referrer']);
      expect(await page.text()).toMatch(/<button type="submit">Confirm<\/button>/);
    }
    const done = await press(token);
    expect([done.status, await done.text()]).toEqual([
      200,
      expect.stringContaining('Your e-mail address is changed'),
    ]);
    const again = await press(token);
    expect([again.status, await again.text()]).toEqual([
      400,
      expect.stringContaining('That did not work'),
    ]);
    signedIn(await auth.login({ email: next, password }));
  });
});

const raceTest = databaseTest([authMigrations]);

raceTest(
  'of two who confirm one address at once, one has it, and the other keeps theirs',
  async ({ db }) => {
    const { auth, asked } = openChange(db);
    for (let round = 0; round < 10; round += 1) {
      const next = someone();
      const people = [await asked(next), await asked(next)];
      const attempts = people.map(({ confirm }) =>
        auth.account.confirmEmailChange({ token: confirm }),
      );
      expect(await tally(attempts)).toEqual({ fulfilled: 1, codes: ['auth.invalid_token'] });
      const results = await Promise.allSettled(attempts);
      for (const [index, { status }] of results.entries())
        await auth.login({
          email: status === 'fulfilled' ? next : (people[index]?.email as string),
          password,
        });
    }
  },
);

raceTest('a reset and a change of address at once end in one of the two orders', async ({ db }) => {
  const { auth, outbox, asked } = openChange(db);
  for (let round = 0; round < 10; round += 1) {
    const { email, next, confirm } = await asked();
    await auth.forgotPassword({ email });
    const reset = await outbox.nextToken('reset_password', email);
    const [moved, chosen] = await Promise.allSettled([
      auth.account.confirmEmailChange({ token: confirm }),
      auth.resetPassword({ token: reset, password: newPassword }),
    ]);
    expect([moved.status, chosen.status].toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = moved.status === 'rejected' ? moved : chosen;
    expect(refused).toMatchObject({ reason: { code: 'auth.invalid_token' } });
    if (moved.status === 'fulfilled') await auth.login({ email: next, password });
    else await auth.login({ email, password: newPassword });
  }
});
