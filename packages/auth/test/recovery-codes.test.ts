import { databaseTest, describeDatabases } from '@svc/db/testing';
import fc from 'fast-check';
import { expect, test as plain } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { formatRecoveryCode, parseRecoveryCode } from '../src/second-factors/recovery-codes.ts';
import { codeOf } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';

plain('a code is 120 bits in six groups, and reads the same however it is typed', () => {
  expect(formatRecoveryCode(new Uint8Array(15))).toBe('0000-0000-0000-0000-0000-0000');
  expect(formatRecoveryCode(new Uint8Array(15).fill(255))).toBe('ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ');
  const codes = new Set<string>();
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 15, maxLength: 15 }), (bytes) => {
      const code = formatRecoveryCode(bytes);
      expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){5}[0-9A-HJKMNP-TV-Z]{4}$/);
      codes.add(code);
      const plainText = code.replaceAll('-', '');
      expect(parseRecoveryCode(code)).toBe(plainText);
      const typed = ` ${code.toLowerCase().replaceAll('-', ' ')}`
        .replaceAll('0', 'o')
        .replace('1', 'l')
        .replaceAll('1', 'I');
      expect(parseRecoveryCode(typed)).toBe(plainText);
    }),
  );
  expect(codes.size).toBeGreaterThan(50);
});

plain.each(['', '123456', 'U'.repeat(24), '0'.repeat(23), '0'.repeat(25), 'é'.repeat(24)])(
  'what is no code is none: %j',
  (typed) => {
    expect(parseRecoveryCode(typed)).toBeNull();
  },
);

describeDatabases('recovery codes', [authMigrations], (test) => {
  test('each of ten signs in once, and its owner is told', async ({ db }) => {
    const { auth, enrolled, challenge, outbox } = openMfa(db);
    const { email, recoveryCodes, principal } = await enrolled();
    await outbox.next('security_notice', email);
    expect(new Set(recoveryCodes).size).toBe(10);
    const [first, second] = recoveryCodes as [string, string];
    const answer = async (code: string) =>
      auth.mfa.answerChallenge({
        challenge: await challenge(email),
        method: 'recovery_code',
        code,
      });
    const { session } = await answer(first.toLowerCase());
    expect(session).toMatchObject({ level: 2, methods: ['pwd', 'recovery_code'] });
    expect((await outbox.next('security_notice', email)).data.change).toBe('recovery_code_used');
    expect(await codeOf(answer(first))).toBe('auth.invalid_code');
    await auth.mfa.stepUp(principal, { method: 'recovery_code', code: second });
    expect((await auth.mfa.factors(principal)).recoveryCodesLeft).toBe(8);
  });

  test('new codes void the former ones, and are made only beside a second factor', async ({
    db,
  }) => {
    const { auth, enrolled, session, challenge, outbox } = openMfa(db);
    const { email, recoveryCodes, principal } = await enrolled();
    await outbox.next('security_notice', email);
    const codes = await auth.mfa.makeRecoveryCodes(principal);
    expect(codes).toHaveLength(10);
    expect((await outbox.next('security_notice', email)).data.change).toBe('recovery_codes_made');
    const answer = async (code: string) =>
      auth.mfa.answerChallenge({
        challenge: await challenge(email),
        method: 'recovery_code',
        code,
      });
    expect(await codeOf(answer(recoveryCodes[0] as string))).toBe('auth.invalid_code');
    await answer(codes[0] as string);
    const without = await session();
    expect(await codeOf(auth.mfa.makeRecoveryCodes(without.principal))).toBe(
      'auth.mfa_not_enabled',
    );
  });

  test("a code of another account is nobody else's", async ({ db }) => {
    const { auth, enrolled, challenge } = openMfa(db);
    const [mine, other] = [await enrolled(), await enrolled()];
    const code = other.recoveryCodes[0] as string;
    const answer = async (email: string) =>
      auth.mfa.answerChallenge({
        challenge: await challenge(email),
        method: 'recovery_code',
        code,
      });
    expect(await codeOf(answer(mine.email))).toBe('auth.invalid_code');
    await answer(other.email);
  });
});

// PGlite has one connection and cannot show a race.
const onPostgres = databaseTest([authMigrations]);

onPostgres('of 50 who ask for new codes at once, one set lives', async ({ db }) => {
  const { auth, enrolled } = openMfa(db);
  const { principal } = await enrolled();
  const sets = await Promise.all(
    Array.from({ length: 50 }, () => auth.mfa.makeRecoveryCodes(principal)),
  );
  expect(sets).toHaveLength(50);
  expect((await auth.mfa.factors(principal)).recoveryCodesLeft).toBe(10);
});
