import { createCipher } from '@svc/core';
import { describeDatabases, databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { ScureBase32Plugin } from 'otplib';
import { describe, expect, test as plain } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { stepOfCode } from '../src/second-factors/totp-codes.ts';
import { totpCode } from '../src/testing.ts';
import { codeOf, openAuth, password, someone, tally } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';

describe('codes', () => {
  const base32 = (text: string) =>
    new ScureBase32Plugin().encode(Buffer.from(text), { padding: false });
  const digits = '1234567890';
  const secrets = {
    sha1: base32(digits.repeat(2)),
    sha256: base32(`${digits.repeat(3)}12`),
    sha512: base32(`${digits.repeat(6)}1234`),
  };

  plain.each([
    [59, '94287082', '46119246', '90693936'],
    [1111111109, '07081804', '68084774', '25091201'],
    [1111111111, '14050471', '67062674', '99943326'],
    [1234567890, '89005924', '91819424', '93441116'],
    [2000000000, '69279037', '90698825', '38618901'],
    [20000000000, '65353130', '77737706', '47863826'],
  ])('RFC 6238 Appendix B at %i s', (seconds, ...codes) => {
    const now = new Date(seconds * 1000);
    for (const [index, algorithm] of (['sha1', 'sha256', 'sha512'] as const).entries()) {
      const code = codes[index] as string;
      const check = { now, digits: 8, algorithm } as const;
      expect(stepOfCode(secrets[algorithm], code, check)).toBe(Math.floor(seconds / 30));
      expect(stepOfCode(secrets[algorithm], `${code.slice(0, -1)}x`, check)).toBeNull();
    }
  });

  plain('a code counts in its step and the two beside it, and after a used step not again', () => {
    const secret = secrets.sha1;
    const code = totpCode(secret, new Date(60_000));
    const at = (seconds: number, after?: number | null) =>
      stepOfCode(secret, code, {
        now: new Date(seconds * 1000),
        ...(after !== undefined && { after }),
      });
    expect([29, 30, 60, 89, 90, 119, 120].map((seconds) => at(seconds))).toEqual([
      null,
      2,
      2,
      2,
      2,
      2,
      null,
    ]);
    expect([at(60, 1), at(60, 2), at(60, 3), at(60, 9)]).toEqual([2, null, null, null]);
  });

  plain.each(['', '12345', '1234567', 'abcdef', '１２３４５６', '12345 ', '-12345', '1e5000'])(
    'what is no code is none: %j',
    (code) => {
      expect(stepOfCode(secrets.sha1, code, { now: new Date(0) })).toBeNull();
    },
  );
});

describeDatabases('TOTP', [authMigrations], (test) => {
  test('setting up an app gives a secret of 160 bits, a URI and a QR code, and counts once confirmed', async ({
    db,
  }) => {
    const { auth, clock, session, outbox } = openMfa(db);
    const { email, principal, token } = await session();
    const { secret, uri, qrSvg } = await auth.mfa.enrolTotp(principal);
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(uri).toBe(
      `otpauth://totp/Projects:${encodeURIComponent(email)}?secret=${secret}&issuer=Projects`,
    );
    expect(qrSvg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" viewBox="[^]*<\/svg>$/);
    expect(await auth.mfa.factors(principal)).toEqual({
      totp: false,
      passkeys: 0,
      recoveryCodesLeft: 0,
    });
    expect((await auth.login({ email, password })).status).toBe('signed_in');
    const code = totpCode(secret, clock.now());
    const confirmed = await auth.mfa.confirmTotp(principal, { code });
    expect(confirmed.session).toMatchObject({
      id: principal.session?.id,
      level: 2,
      methods: ['pwd', 'otp'],
    });
    expect(confirmed.recoveryCodes).toHaveLength(10);
    expect(await auth.authenticate(token)).toBeNull();
    const raised = await auth.authenticate(confirmed.token);
    expect(raised?.user.mfaEnabledAt).toEqual(clock.now());
    expect(await auth.mfa.factors(principal)).toEqual({
      totp: true,
      passkeys: 0,
      recoveryCodesLeft: 10,
    });
    expect(await auth.login({ email, password })).toMatchObject({
      status: 'second_factor_required',
      methods: ['totp', 'recovery_code'],
    });
    expect((await outbox.next('security_notice', email)).data.change).toBe('mfa_enabled');
  });

  test('the other sessions stay at level 1, or end where that is asked for', async ({ db }) => {
    const { auth, clock, session } = openMfa(db);
    for (const endOtherSessions of [false, true]) {
      const { email, principal } = await session();
      const other = await session(email);
      const { secret } = await auth.mfa.enrolTotp(principal);
      const code = totpCode(secret, clock.now());
      const { token } = await auth.mfa.confirmTotp(principal, { code, endOtherSessions });
      expect(await auth.authenticate(token)).not.toBeNull();
      const left = await auth.authenticate(other.token);
      if (endOtherSessions) expect(left).toBeNull();
      else expect(left?.session?.level).toBe(1);
    }
  });

  test('a second enrolment voids the one that waits, and a wrong, an old or no enrolment is InvalidCode', async ({
    db,
  }) => {
    const { auth, clock, session } = openMfa(db);
    const { principal } = await session();
    const confirm = (code: string) => codeOf(auth.mfa.confirmTotp(principal, { code }));
    expect(await confirm('123456')).toBe('auth.invalid_code');
    const former = await auth.mfa.enrolTotp(principal);
    const current = await auth.mfa.enrolTotp(principal);
    expect(await confirm(totpCode(former.secret, clock.now()))).toBe('auth.invalid_code');
    await clock.advance('16m');
    expect(await confirm(totpCode(current.secret, clock.now()))).toBe('auth.invalid_code');
    expect((await auth.mfa.factors(principal)).totp).toBe(false);
  });

  test('a new app takes the place of the former one only once it is confirmed', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode } = openMfa(db);
    const { email, secret: former, principal } = await enrolled();
    const { secret } = await auth.mfa.enrolTotp(principal);
    const answer = async (code: string) =>
      auth.mfa.answerChallenge({ challenge: await challenge(email), method: 'totp', code });
    await answer(await nextCode(former));
    const { recoveryCodes } = await auth.mfa.confirmTotp(principal, {
      code: await nextCode(secret),
    });
    expect(recoveryCodes).toBeNull();
    expect(await codeOf(answer(await nextCode(former)))).toBe('auth.invalid_code');
    await answer(await nextCode(secret));
  });

  test('removing the last factor takes recovery codes, trust in devices and level 2 along', async ({
    db,
  }) => {
    const { auth, clock, enrolled, outbox, principalOf } = openMfa(db);
    const { email, principal, token } = await enrolled();
    await outbox.next('security_notice', email);
    await db
      .insertInto('svc_auth.devices')
      .values({
        id: principal.userId,
        user_id: principal.userId,
        token_hash: Buffer.alloc(32),
        created_at: clock.now(),
        last_seen_at: clock.now(),
        trusted_until: new Date(clock.now().getTime() + 1e9),
      })
      .execute();
    await auth.mfa.removeTotp(principal);
    expect(await codeOf(auth.mfa.removeTotp(principal))).toBe('auth.totp_not_found');
    expect(await auth.mfa.factors(principal)).toEqual({
      totp: false,
      passkeys: 0,
      recoveryCodesLeft: 0,
    });
    const after = await principalOf(token);
    expect(after.user.mfaEnabledAt).toBeNull();
    expect(after.session).toMatchObject({ level: 1, secondFactorAt: null });
    const device = await db
      .selectFrom('svc_auth.devices')
      .select('trusted_until')
      .where('user_id', '=', principal.userId)
      .executeTakeFirstOrThrow();
    expect(device['trusted_until']).toBeNull();
    expect((await auth.login({ email, password })).status).toBe('signed_in');
    expect((await outbox.next('security_notice', email)).data.change).toBe('mfa_disabled');
  });

  test('a passkey that is left keeps the second factor and its recovery codes', async ({ db }) => {
    const { auth, clock, enrolled, principalOf } = openMfa(db);
    const { principal, token } = await enrolled();
    await db
      .insertInto('svc_auth.passkeys')
      .values({
        id: principal.userId,
        user_id: principal.userId,
        credential_id: Buffer.from(principal.userId),
        public_key: Buffer.alloc(1),
        sign_count: 0n,
        transports: [],
        aaguid: principal.userId,
        backup_eligible: false,
        backed_up: false,
        name: 'key',
        created_at: clock.now(),
      })
      .execute();
    await auth.mfa.removeTotp(principal);
    expect(await codeOf(auth.mfa.removeTotp(principal))).toBe('auth.totp_not_found');
    expect(await auth.mfa.factors(principal)).toEqual({
      totp: false,
      passkeys: 1,
      recoveryCodesLeft: 10,
    });
    expect((await principalOf(token)).session?.level).toBe(2);
  });

  test('the secret is sealed in every table, and sealed anew with a newer key when it is used', async ({
    db,
  }) => {
    const keys = ['k1', 'k2'].map((id) => ({ id, secret: `${id}: a secret made for tests only` }));
    const [older, newer] = keys as [(typeof keys)[0], (typeof keys)[0]];
    const first = openMfa(db, { cipher: createCipher({ keys: [older] }) });
    const { email, secret, principal, recoveryCodes } = await first.enrolled();
    const factor = async () =>
      (
        await sql<{ line: string }>`select t::text as line from svc_auth.totp_factors t
          where user_id = ${principal.userId}`.execute(db)
      ).rows[0]?.line as string;
    expect(await factor()).toContain('v1.k1.');
    expect(await factor()).not.toContain(secret);
    const codes = await sql<{ line: string }>`select t::text as line from svc_auth.recovery_codes t
      where user_id = ${principal.userId}`.execute(db);
    const stored = codes.rows.map(({ line }) => line).join();
    for (const code of recoveryCodes) {
      expect(stored).not.toContain(Buffer.from(code).toString('hex'));
      expect(stored).not.toContain(Buffer.from(code.replaceAll('-', '')).toString('hex'));
    }
    const second = openMfa(db, {
      cipher: createCipher({ keys: [newer, older] }),
      clock: first.clock,
    });
    const code = await first.nextCode(secret);
    const challenge = await second.challenge(email);
    await second.auth.mfa.answerChallenge({ challenge, method: 'totp', code });
    expect(await factor()).toContain('v1.k2.');
    const third = openMfa(db, { cipher: createCipher({ keys: [newer] }), clock: first.clock });
    const again = await first.nextCode(secret);
    await third.auth.mfa.answerChallenge({
      challenge: await third.challenge(email),
      method: 'totp',
      code: again,
    });
  });
});

// PGlite has one connection and cannot show a race.
const onPostgres = databaseTest([authMigrations]);
describe('at once', () => {
  onPostgres(
    'of 50 who confirm one app at once, one succeeds, and one set of recovery codes lives',
    async ({ db }) => {
      const { auth, clock, session } = openMfa(db);
      const { principal } = await session();
      const { secret } = await auth.mfa.enrolTotp(principal);
      const code = totpCode(secret, clock.now());
      const attempts = Array.from({ length: 50 }, () => auth.mfa.confirmTotp(principal, { code }));
      // The others came as a session of level 1, and the account has a second factor now.
      expect(await tally(attempts)).toEqual({
        fulfilled: 1,
        codes: ['auth.insufficient_user_authentication'],
      });
      expect(await auth.mfa.factors(principal)).toMatchObject({
        totp: true,
        recoveryCodesLeft: 10,
      });
    },
  );
});

plain('an app without a cipher cannot set up TOTP, and says so to its programmer', async () => {
  const { auth } = openAuth({} as never, { cipher: undefined as never });
  const principal = { userId: 'x', user: { email: someone() }, session: {} } as never;
  await expect(auth.mfa.enrolTotp(principal)).rejects.toThrow('needs the option cipher');
});
