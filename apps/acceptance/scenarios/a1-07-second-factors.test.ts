import { softwareAuthenticator } from '@svc/auth/testing';
import { describe, expect, test } from 'vitest';
import { baseUrl, expectJson, expectProblem, request, signUp } from './client.ts';
import { resetPassword } from './password-reset.ts';
import { codeOf, enrolTotp } from './totp.ts';

interface Challenge {
  status: string;
  challenge: string;
  methods: string[];
}

interface SignedIn {
  token: string;
  session: { level: number; methods: string[] };
}

/** The challenge that a login with the right password ends in. */
const challengeOf = (email: string, password: string) =>
  expectJson<Challenge>(
    request('/auth/login', { json: { email, password, transport: 'bearer' } }),
    202,
  );
const answer = (challenge: string, method: string, code: string, more = {}) =>
  request('/auth/mfa/challenge', {
    json: { challenge, method, code, transport: 'bearer', ...more },
  });

/** Somebody with an authenticator app. */
async function withTotp() {
  const person = await signUp();
  return { ...person, ...(await enrolTotp(person.token)) };
}

describe('an authenticator app', () => {
  test('is enrolled, confirmed, and from then on asked for', async () => {
    const { email, password, token } = await signUp();
    const enrolment = await expectJson<{ secret: string; uri: string; qrSvg: string }>(
      request('/auth/mfa/totp', { method: 'POST', as: token }),
    );
    expect(enrolment.uri).toMatch(/^otpauth:\/\/totp\/.*secret=/);
    expect(enrolment.qrSvg).toMatch(/^<svg/);
    const confirm = (code: string) =>
      request('/auth/mfa/totp/confirm', { as: token, json: { code } });
    await expectProblem(await confirm('000000'), 401, 'auth.invalid_code');
    // Nothing is asked for before it is confirmed.
    expect((await request('/auth/login', { json: { email, password } })).status).toBe(200);
    const confirmed = await expectJson<SignedIn & { recoveryCodes: string[] }>(
      confirm(codeOf(enrolment.secret)),
    );
    expect(confirmed.recoveryCodes).toHaveLength(10);
    expect(confirmed.session.level).toBe(2);
    const { challenge, methods, status } = await challengeOf(email, password);
    expect([status, methods]).toEqual(['second_factor_required', ['totp', 'recovery_code']]);
    const signedIn = await expectJson<SignedIn>(
      answer(challenge, 'totp', codeOf(enrolment.secret, 1)),
    );
    expect(signedIn.session).toMatchObject({ level: 2, methods: ['pwd', 'otp'] });
    expect((await request('/auth/me', { as: signedIn.token })).status).toBe(200);
  });

  test('a code works once, also in another sign-in and for fifty at once', async () => {
    const { email, password, secret, usedCode } = await withTotp();
    const replayed = await challengeOf(email, password);
    await expectProblem(
      await answer(replayed.challenge, 'totp', usedCode),
      401,
      'auth.invalid_code',
    );
    const challenges = await Promise.all(
      Array.from({ length: 10 }, () => challengeOf(email, password)),
    );
    const code = codeOf(secret);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        answer(challenges[index % challenges.length]?.challenge as string, 'totp', code),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const each of answers.filter(({ status }) => status !== 200))
      await expectProblem(each, 401);
  });

  test('half a sign-in opens no door, and ends with five wrong codes', async () => {
    const { email, password, secret } = await withTotp();
    const { challenge } = await challengeOf(email, password);
    for (const path of ['/auth/me', '/auth/sessions', '/auth/mfa', '/auth/api-keys', '/projects']) {
      await expectProblem(await request(path, { as: challenge }), 401);
      const cookie = `__Host-sid=${challenge}`;
      await expectProblem(await request(path, { headers: { cookie } }), 401);
    }
    for (let attempt = 0; attempt < 5; attempt += 1)
      await expectProblem(await answer(challenge, 'totp', '000000'), 401, 'auth.invalid_code');
    await expectProblem(
      await answer(challenge, 'totp', codeOf(secret)),
      401,
      'auth.invalid_challenge',
    );
    await expectProblem(await answer('x'.repeat(43), 'totp', codeOf(secret)), 401);
  });

  test("somebody else's challenge is answered by nobody's code but theirs", async () => {
    const [owner, stranger] = [await withTotp(), await withTotp()];
    const { challenge } = await challengeOf(owner.email, owner.password);
    await expectProblem(
      await answer(challenge, 'totp', codeOf(stranger.secret)),
      401,
      'auth.invalid_code',
    );
  });

  test('a reset of the password by mail does not get around it', async () => {
    const { email, secret } = await withTotp();
    const password = await resetPassword(email);
    const { challenge } = await challengeOf(email, password);
    expect((await answer(challenge, 'totp', codeOf(secret))).status).toBe(200);
  });
});

describe('recovery codes', () => {
  test('each signs in once, also for fifty at once, and new ones take the place of all', async () => {
    const { email, password, recoveryCodes, token } = await withTotp();
    const [first, second] = recoveryCodes as [string, string];
    const { challenge } = await challengeOf(email, password);
    expect((await answer(challenge, 'recovery_code', first)).status).toBe(200);
    const again = await challengeOf(email, password);
    await expectProblem(
      await answer(again.challenge, 'recovery_code', first),
      401,
      'auth.invalid_code',
    );
    const challenges = await Promise.all(
      Array.from({ length: 10 }, () => challengeOf(email, password)),
    );
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        answer(challenges[index % challenges.length]?.challenge as string, 'recovery_code', second),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const factors = await expectJson(request('/auth/mfa', { as: token }));
    expect(factors).toMatchObject({ totp: true, recoveryCodesLeft: 8 });
  });

  test('new ones are made only right after the second factor was shown, and void the former', async () => {
    const { email, password, recoveryCodes, token } = await withTotp();
    const made = await expectJson<{ recoveryCodes: string[] }>(
      request('/auth/mfa/recovery-codes', { method: 'POST', as: token }),
    );
    expect(made.recoveryCodes).toHaveLength(10);
    const { challenge } = await challengeOf(email, password);
    await expectProblem(
      await answer(challenge, 'recovery_code', recoveryCodes[0] as string),
      401,
      'auth.invalid_code',
    );
    expect((await answer(challenge, 'recovery_code', made.recoveryCodes[0] as string)).status).toBe(
      200,
    );
  });
});

describe('step-up', () => {
  test('turning the second factor off asks for it, raises only the session that shows it, and then it is off', async () => {
    const { email, password, secret } = await withTotp();
    // A trusted browser is asked for no second factor, and so its session is of level 1.
    const first = await challengeOf(email, password);
    const login = await request('/auth/mfa/challenge', {
      json: { challenge: first.challenge, method: 'totp', code: codeOf(secret), trustDevice: true },
    });
    expect(login.status).toBe(200);
    const device = /__Host-device=[^;]+/.exec(login.headers.get('set-cookie') ?? '')?.[0] as string;
    const trusted = () =>
      expectJson<SignedIn>(
        request('/auth/login', {
          json: { email, password, transport: 'bearer' },
          headers: { cookie: device },
        }),
      );
    const [session, other] = [await trusted(), await trusted()];
    expect(session.session.level).toBe(1);
    const remove = (as: string) => request('/auth/mfa/totp', { method: 'DELETE', as });
    const refused = await remove(session.token);
    expect(refused.headers.get('www-authenticate')).toMatch(
      /^Bearer error="insufficient_user_authentication".*acr_values="2".*max_age="\d+"/,
    );
    await expectProblem(refused, 401, 'auth.insufficient_user_authentication');
    const raised = await expectJson<SignedIn>(
      request('/auth/step-up', {
        as: session.token,
        json: { method: 'totp', code: codeOf(secret, 1) },
      }),
    );
    expect(raised.session.level).toBe(2);
    await expectProblem(await request('/auth/me', { as: session.token }), 401);
    await expectProblem(await remove(other.token), 401, 'auth.insufficient_user_authentication');
    expect((await remove(raised.token)).status).toBe(204);
    expect((await request('/auth/login', { json: { email, password } })).status).toBe(200);
  });
});

describe('passkeys', () => {
  const { origin, hostname: rpId } = new URL(baseUrl);
  interface Options<Kind extends 'create' | 'get'> {
    challenge: string;
    options: Parameters<ReturnType<typeof softwareAuthenticator>[Kind]>[0];
  }

  async function withPasskey() {
    const person = await signUp();
    const authenticator = softwareAuthenticator({ origin, rpId });
    const { challenge, options } = await expectJson<Options<'create'>>(
      request('/auth/mfa/passkeys/options', { method: 'POST', as: person.token }),
    );
    const response = authenticator.create(options);
    const added = await expectJson<SignedIn & { recoveryCodes: string[] }>(
      request('/auth/mfa/passkeys', {
        as: person.token,
        json: { challenge, response, name: 'Phone' },
      }),
    );
    return { ...person, authenticator, token: added.token, recoveryCodes: added.recoveryCodes };
  }
  const loginOptions = () =>
    expectJson<Options<'get'>>(request('/auth/passkeys/login/options', { method: 'POST' }));
  const login = (json: object) =>
    request('/auth/passkeys/login', { json: { transport: 'bearer', ...json } });

  test('one is added, and signs in without a password, as both factors', async () => {
    const { authenticator, email } = await withPasskey();
    const { challenge, options } = await loginOptions();
    const response = authenticator.get(options);
    const signedIn = await expectJson<SignedIn & { user: { email: string } }>(
      login({ challenge, response }),
    );
    expect(signedIn.user.email).toBe(email);
    expect(signedIn.session).toMatchObject({ level: 2, methods: ['passkey'] });
    await expectProblem(await login({ challenge, response }), 401);
  });

  test('it is the second factor behind a password', async () => {
    const { authenticator, email, password } = await withPasskey();
    const { challenge, methods } = await challengeOf(email, password);
    expect(methods).toEqual(['passkey', 'recovery_code']);
    const { options } = await expectJson<Omit<Options<'get'>, 'challenge'>>(
      request('/auth/mfa/challenge/passkey/options', { json: { challenge } }),
    );
    const response = authenticator.get(options);
    const signedIn = await expectJson<SignedIn>(
      request('/auth/mfa/challenge/passkey', {
        json: { challenge, response, transport: 'bearer' },
      }),
    );
    expect(signedIn.session).toMatchObject({ level: 2, methods: ['pwd', 'passkey'] });
  });

  test('what another page, another key or another challenge signed is refused, and so is a count that went back', async () => {
    const { authenticator } = await withPasskey();
    const honest = await loginOptions();
    const first = authenticator.get(honest.options);
    expect((await login({ challenge: honest.challenge, response: first })).status).toBe(200);
    const stranger = await withPasskey();
    const attempt = async (respond: (options: Options<'get'>['options']) => unknown) => {
      const { challenge, options } = await loginOptions();
      await expectProblem(await login({ challenge, response: respond(options) }), 401);
    };
    await attempt((options) => authenticator.get(options, { origin: 'https://evil.example' }));
    await attempt((options) => authenticator.get(options, { rpId: 'evil.example' }));
    await attempt((options) => authenticator.get(options, { userPresent: false }));
    const other = await loginOptions();
    await attempt(() => authenticator.get(other.options));
    await attempt((options) => {
      const mine = authenticator.get(options);
      const theirs = stranger.authenticator.get(options);
      return { ...mine, response: { ...mine.response, signature: theirs.response.signature } };
    });
    await attempt((options) => authenticator.get(options, { signCount: 1 }));
  });

  test('the options tell nobody apart', async () => {
    const known = await withPasskey();
    const shapes = [await loginOptions(), await loginOptions()].map(({ options }) => ({
      ...options,
      challenge: '',
    }));
    expect(shapes[0]).toEqual(shapes[1]);
    expect(JSON.stringify(shapes)).not.toContain(known.authenticator.credentials[0]?.id);
  });
});
