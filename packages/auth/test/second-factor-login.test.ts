import { sha256 } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted, createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, newPassword, password, tally } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';

const wrong = { method: 'totp', code: '000000' } as const;

describeDatabases('the second factor of a login', [authMigrations], (test) => {
  test('a right code opens one session of level 2, and the challenge is used up', async ({
    db,
  }) => {
    const { auth, enrolled, challenge, nextCode, principalOf } = openMfa(db);
    const { email, secret, token: previousToken } = await enrolled();
    using seen = recordEvents(acted);
    const token = await challenge(email);
    const code = await nextCode(secret);
    const signIn = await auth.mfa.answerChallenge({
      challenge: token,
      method: 'totp',
      code: ` ${code.slice(0, 3)} ${code.slice(3)}`,
      previousToken,
    });
    expect(signIn).toMatchObject({
      status: 'signed_in',
      session: { level: 2, methods: ['pwd', 'otp'] },
    });
    expect((await principalOf(signIn.token)).user.email).toBe(email);
    expect(await auth.authenticate(previousToken)).toBeNull();
    const again = { challenge: token, method: 'totp', code: await nextCode(secret) } as const;
    expect(await codeOf(auth.mfa.answerChallenge(again))).toBe('auth.invalid_challenge');
    expect(seen.events.map(({ payload }) => payload.type)).toEqual([
      'auth.login.challenged',
      'auth.session.revoked',
      'auth.login.succeeded',
    ]);
  });

  test('a code that one challenge accepted is refused by every other, as is the one that set the app up', async ({
    db,
  }) => {
    const { auth, enrolled, challenge, nextCode } = openMfa(db);
    const { email, secret, usedCode } = await enrolled();
    const [one, other] = [await challenge(email), await challenge(email)];
    const answer = (token: string, code: string) =>
      auth.mfa.answerChallenge({ challenge: token, method: 'totp', code });
    expect(await codeOf(answer(one, usedCode))).toBe('auth.invalid_code');
    const code = await nextCode(secret);
    await answer(one, code);
    expect(await codeOf(answer(other, code))).toBe('auth.invalid_code');
    await answer(other, await nextCode(secret));
  });

  test('nobody passes with a code of somebody else', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode } = openMfa(db);
    const [mine, other] = [await enrolled(), await enrolled()];
    const code = await nextCode(other.secret);
    const answer = { challenge: await challenge(mine.email), method: 'totp', code } as const;
    expect(await codeOf(auth.mfa.answerChallenge(answer))).toBe('auth.invalid_code');
  });

  test('a challenge works for 5 minutes', async ({ db }) => {
    const { auth, clock, enrolled, challenge, nextCode } = openMfa(db);
    const { email, secret } = await enrolled();
    const [soon, late] = [await challenge(email), await challenge(email)];
    await clock.advance('4m');
    const answer = async (token: string) =>
      auth.mfa.answerChallenge({ challenge: token, method: 'totp', code: await nextCode(secret) });
    await answer(soon);
    await clock.advance('30s');
    expect(await codeOf(answer(late))).toBe('auth.invalid_challenge');
  });

  test('a reset of the password ends the challenges that the former one began, and skips no factor', async ({
    db,
  }) => {
    const { auth, enrolled, challenge, nextCode, outbox } = openMfa(db);
    const { email, secret } = await enrolled();
    const before = await challenge(email);
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token, password: newPassword });
    const answer = { challenge: before, method: 'totp', code: await nextCode(secret) } as const;
    expect(await codeOf(auth.mfa.answerChallenge(answer))).toBe('auth.invalid_challenge');
    expect((await auth.login({ email, password: newPassword })).status).toBe(
      'second_factor_required',
    );
  });

  test('a disabled user cannot finish what they began', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode, principalOf } = openMfa(db);
    const { email, secret, token } = await enrolled();
    const before = await challenge(email);
    await db
      .updateTable('svc_auth.users')
      .set({ disabled_at: new Date(0) })
      .where('id', '=', (await principalOf(token)).userId)
      .execute();
    const answer = { challenge: before, method: 'totp', code: await nextCode(secret) } as const;
    expect(await codeOf(auth.mfa.answerChallenge(answer))).toBe('auth.invalid_challenge');
  });

  test('a challenge dies with the fifth wrong answer', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode } = openMfa(db);
    const { email, secret } = await enrolled();
    const token = await challenge(email);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      expect(await codeOf(auth.mfa.answerChallenge({ challenge: token, ...wrong }))).toBe(
        'auth.invalid_code',
      );
    }
    const right = { challenge: token, method: 'totp', code: await nextCode(secret) } as const;
    expect(await codeOf(auth.mfa.answerChallenge(right))).toBe('auth.invalid_challenge');
  });

  test('wrong codes over many challenges lock the second factor, and a right code is refused alike', async ({
    db,
  }) => {
    const { auth, clock, enrolled, challenge, nextCode, outbox } = openMfa(db);
    const { email, secret } = await enrolled();
    await outbox.next('security_notice', email);
    const answer = async (given: { method: 'totp'; code: string }) =>
      auth.mfa
        .answerChallenge({ challenge: await challenge(email), ...given })
        .catch((error: unknown) => error);
    using seen = recordEvents(acted);
    const code = await nextCode(secret);
    const refusals: unknown[] = [];
    for (let attempt = 0; attempt < 11; attempt += 1) refusals.push(await answer(wrong));
    refusals.push(await answer({ method: 'totp', code }));
    expect(refusals[11]).toMatchObject({ code: 'auth.invalid_code' });
    expect(new Set(refusals.map((each) => JSON.stringify([String(each), each]))).size).toBe(1);
    expect((await outbox.next('security_notice', email)).data.change).toBe('account_locked');
    expect(seen.events.some(({ payload }) => payload.details['reason'] === 'locked')).toBe(true);
    await clock.advance('1h');
    expect(await answer({ method: 'totp', code: await nextCode(secret) })).toMatchObject({
      status: 'signed_in',
    });
  });

  test('a hundred wrong codes in a row are the end of it, until the password is reset by mail', async ({
    db,
  }) => {
    const { auth, clock, enrolled, challenge, nextCode, outbox } = openMfa(db);
    const { email, secret } = await enrolled();
    for (let attempt = 0; attempt < 100; attempt += 1) {
      await clock.advance('15m');
      await codeOf(auth.mfa.answerChallenge({ challenge: await challenge(email), ...wrong }));
    }
    await clock.advance('7d');
    const answer = async (known: string) => {
      const signIn = await auth.login({ email, password: known });
      const { challenge: token } = signIn as { challenge: string };
      const code = await nextCode(secret);
      return auth.mfa.answerChallenge({ challenge: token, method: 'totp', code });
    };
    expect(await codeOf(answer(password))).toBe('auth.invalid_code');
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token, password: newPassword });
    await answer(newPassword);
  });

  test('what was counted outlives the rollback of the caller', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode } = openMfa(db);
    const { email, secret, principal } = await enrolled();
    const token = await challenge(email);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const attempted = transact(db, (trx) =>
        auth.mfa.answerChallenge({ challenge: token, ...wrong }, { within: trx }),
      );
      expect(await codeOf(attempted)).toBe('auth.invalid_code');
    }
    const right = { challenge: token, method: 'totp', code: await nextCode(secret) } as const;
    expect(await codeOf(auth.mfa.answerChallenge(right))).toBe('auth.invalid_challenge');
    const count = await db
      .selectFrom('svc_auth.throttles')
      .select('failures')
      .where('key', '=', sha256(`second_factor:${principal.userId}`))
      .executeTakeFirstOrThrow();
    expect(count['failures']).toBe(5);
  });

  test('a role that asks for a second factor brings nothing before it was shown', async ({
    db,
  }) => {
    const authorization = createAuthorization();
    const { auth, enrolled, session, challenge, nextCode, principalOf } = openMfa(db, {
      authorization: authorization as never,
      mfa: { requiredFor: ['admin'] },
    });
    const { email, principal } = await session();
    await db
      .updateTable('svc_auth.users')
      .set({ roles: ['admin'] })
      .where('id', '=', principal.userId)
      .execute();
    const half = await session(email);
    expect(half.principal).toMatchObject({ roles: ['user'], withheldRoles: ['admin'] });
    expect(half.principal.permissions.has('admin.impersonate')).toBe(false);
    const { secret, token } = await enrolled(email);
    const raised = await principalOf(token);
    expect(raised).toMatchObject({ roles: ['user', 'admin'], withheldRoles: [] });
    expect(raised.permissions.has('admin.impersonate')).toBe(true);
    const { token: later } = await auth.mfa.answerChallenge({
      challenge: await challenge(email),
      method: 'totp',
      code: await nextCode(secret),
    });
    expect((await principalOf(later)).permissions.has('admin.impersonate')).toBe(true);
    await auth.mfa.removeTotp(await principalOf(later));
    expect((await principalOf(later)).permissions.has('admin.impersonate')).toBe(false);
  });
});

// PGlite has one connection and cannot show a race.
const onPostgres = databaseTest([authMigrations]);

onPostgres('of 50 wrong answers to one challenge at once, five are judged', async ({ db }) => {
  const { auth, enrolled, challenge } = openMfa(db);
  const { email } = await enrolled();
  const token = await challenge(email);
  using seen = recordEvents(acted);
  const attempts = Array.from({ length: 50 }, () =>
    auth.mfa.answerChallenge({ challenge: token, ...wrong }),
  );
  const { codes } = await tally(attempts);
  expect(codes.toSorted()).toEqual(['auth.invalid_challenge', 'auth.invalid_code']);
  expect(
    seen.events.filter(({ payload }) => payload.details['reason'] === 'wrong_code'),
  ).toHaveLength(5);
});

onPostgres(
  'of 50 wrong answers to 50 challenges at once, no more are judged than are free',
  async ({ db }) => {
    const { auth, enrolled, challenge } = openMfa(db);
    const { email } = await enrolled();
    const tokens = await Promise.all(Array.from({ length: 50 }, () => challenge(email)));
    using seen = recordEvents(acted);
    await tally(tokens.map((token) => auth.mfa.answerChallenge({ challenge: token, ...wrong })));
    const judged = seen.events.filter(({ payload }) => payload.details['reason'] === 'wrong_code');
    expect(judged.length).toBeLessThanOrEqual(11);
  },
);
