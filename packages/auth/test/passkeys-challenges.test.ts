import { describeDatabases } from '@svc/db/testing';
import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { codeOf } from './open-auth.ts';
import { openPasskeys, tampered } from './open-passkeys.ts';

describeDatabases('challenges of passkeys', [authMigrations], (test) => {
  test('an answer works once, and a challenge once whatever came of it', async ({ db }) => {
    const { passkeys, owner } = openPasskeys(db);
    const { authenticator } = await owner({ counts: false });
    const { challenge, options } = await passkeys.loginOptions();
    const response = authenticator.get(options);
    await passkeys.login({ challenge, response });
    expect(await codeOf(passkeys.login({ challenge, response }))).toBe('auth.invalid_challenge');
    const other = await passkeys.loginOptions();
    expect(await codeOf(passkeys.login({ challenge: other.challenge, response }))).toBe(
      'auth.invalid_credentials',
    );
    const late = authenticator.get(other.options);
    expect(await codeOf(passkeys.login({ challenge: other.challenge, response: late }))).toBe(
      'auth.invalid_challenge',
    );
  });

  test('a challenge works for 5 minutes', async ({ db }) => {
    const { passkeys, owner, clock } = openPasskeys(db);
    const { authenticator } = await owner();
    const early = await passkeys.loginOptions();
    await clock.advance('299s');
    const inTime = authenticator.get(early.options);
    await passkeys.login({ challenge: early.challenge, response: inTime });
    const { challenge, options } = await passkeys.loginOptions();
    await clock.advance('5m');
    const response = authenticator.get(options);
    expect(await codeOf(passkeys.login({ challenge, response }))).toBe('auth.invalid_challenge');
  });

  test('a challenge works for nothing but what it was made for', async ({ db }) => {
    const { passkeys, owner, halfSignedIn } = openPasskeys(db);
    const { authenticator, principal, email } = await owner();
    const made = {
      login: await passkeys.loginOptions(),
      stepUp: await passkeys.stepUpOptions(principal),
      second: await halfSignedIn(email).then(async ({ challenge }) => ({
        challenge,
        ...(await passkeys.secondFactorOptions({ challenge })),
      })),
    };
    const uses = {
      login: passkeys.login,
      stepUp: (input: Parameters<typeof passkeys.login>[0]) => passkeys.stepUp(principal, input),
      second: passkeys.answerChallenge,
    };
    for (const [purpose, { challenge, options }] of Object.entries(made)) {
      for (const [use, answer] of Object.entries(uses)) {
        if (use === purpose) continue;
        const response = authenticator.get(options);
        expect([purpose, use, await codeOf(answer({ challenge, response }))]).toEqual([
          purpose,
          use,
          'auth.invalid_challenge',
        ]);
      }
    }
    const registration = await passkeys.registrationOptions(principal);
    const response = authenticator.get(registration.options as never);
    const { challenge } = registration;
    expect(await codeOf(passkeys.login({ challenge, response }))).toBe('auth.invalid_challenge');
  });

  test("challenges of registration and step-up belong to one session, the second factor's to one account", async ({
    db,
  }) => {
    const { passkeys, owner, session, device, halfSignedIn } = openPasskeys(db);
    const [ada, eve] = [await owner(), await owner()];
    const stranger = (await session()).principal;
    const creation = await passkeys.registrationOptions(ada.principal);
    const created = device().create(creation.options);
    expect(await codeOf(passkeys.register(stranger, { ...creation, response: created }))).toBe(
      'auth.invalid_challenge',
    );
    const stepUp = await passkeys.stepUpOptions(ada.principal);
    const shown = ada.authenticator.get(stepUp.options);
    expect(await codeOf(passkeys.stepUp(eve.principal, { ...stepUp, response: shown }))).toBe(
      'auth.invalid_challenge',
    );
    const half = await halfSignedIn(ada.email);
    const { options } = await passkeys.secondFactorOptions(half);
    const foreign = eve.authenticator.get({ challenge: options.challenge });
    expect(await codeOf(passkeys.answerChallenge({ ...half, response: foreign }))).toBe(
      'auth.invalid_credentials',
    );
    const own = await passkeys.stepUpOptions(ada.principal);
    const foreignAnswer = eve.authenticator.get({ challenge: own.options.challenge });
    expect(await codeOf(passkeys.stepUp(ada.principal, { ...own, response: foreignAnswer }))).toBe(
      'auth.invalid_credentials',
    );
  });

  test('a step-up challenge of another session of the same user is worth nothing', async ({
    db,
  }) => {
    const { passkeys, owner, principalOf } = openPasskeys(db);
    const { authenticator, principal } = await owner();
    const login = await passkeys.loginOptions();
    const signIn = await passkeys.login({
      challenge: login.challenge,
      response: authenticator.get(login.options),
    });
    if (signIn.status !== 'signed_in') throw new Error('not signed in');
    const other = await principalOf(signIn.token);
    const { challenge, options } = await passkeys.stepUpOptions(principal);
    const response = authenticator.get(options);
    expect(await codeOf(passkeys.stepUp(other, { challenge, response }))).toBe(
      'auth.invalid_challenge',
    );
  });

  test('after five wrong answers a sign-in has to start again', async ({ db }) => {
    const { passkeys, owner, halfSignedIn } = openPasskeys(db);
    const { authenticator, email } = await owner();
    const half = await halfSignedIn(email);
    const { options } = await passkeys.secondFactorOptions(half);
    const response = authenticator.get(options);
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const wrong = tampered(response, 'signature');
      expect(await codeOf(passkeys.answerChallenge({ ...half, response: wrong }))).toBe(
        'auth.invalid_credentials',
      );
    }
    expect(await codeOf(passkeys.answerChallenge({ ...half, response }))).toBe(
      'auth.invalid_challenge',
    );
  });

  test('asked for options again, only the newest answer counts', async ({ db }) => {
    const { passkeys, owner, halfSignedIn } = openPasskeys(db);
    const { authenticator, email } = await owner();
    const half = await halfSignedIn(email);
    expect(
      await codeOf(
        passkeys.answerChallenge({ ...half, response: authenticator.get({ challenge: 'x' }) }),
      ),
    ).toBe('auth.invalid_credentials');
    const first = await passkeys.secondFactorOptions(half);
    const second = await passkeys.secondFactorOptions(half);
    const old = authenticator.get(first.options);
    expect(await codeOf(passkeys.answerChallenge({ ...half, response: old }))).toBe(
      'auth.invalid_credentials',
    );
    const response = authenticator.get(second.options);
    expect((await passkeys.answerChallenge({ ...half, response })).status).toBe('signed_in');
  });

  test('nothing that was handed out is at rest', async ({ db }) => {
    const { passkeys, owner, halfSignedIn } = openPasskeys(db);
    const { principal, email } = await owner();
    const half = await halfSignedIn(email);
    const made = [
      await passkeys.loginOptions(),
      await passkeys.stepUpOptions(principal),
      { ...half, ...(await passkeys.secondFactorOptions(half)) },
    ];
    const rows = await db.selectFrom('svc_auth.challenges').selectAll().execute();
    const text = JSON.stringify(rows, (_, value: unknown) =>
      value instanceof Uint8Array ? Buffer.from(value).toString('base64url') : value,
    );
    for (const { challenge, options } of made) {
      expect(text).not.toContain(challenge);
      expect(text).not.toContain(options.challenge);
      const hash = createHash('sha256').update(options.challenge).digest('base64url');
      expect(text).toContain(hash);
    }
  });
});
