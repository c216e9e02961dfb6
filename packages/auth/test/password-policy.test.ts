import { silentLogger } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BreachList } from '../src/index.ts';
import { createPasswordPolicy, type PasswordOptions } from '../src/passwords/policy.ts';

const appName = 'Otter Projects';
const policyOf = (options: PasswordOptions = {}, logger = silentLogger) =>
  createPasswordPolicy(options, { appName, logger });
const good = 'seven quiet badgers at dawn';

/** The code and the pointer of the fault, or nothing. */
async function faultOf(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
    return 'none';
  } catch (error) {
    const { code, details } = error as {
      code: string;
      details: { errors?: { pointer: string; code: string; message: string }[] };
    };
    const fault = details.errors?.[0];
    return fault === undefined ? code : `${fault.code} at ${fault.pointer}`;
  }
}

describe('the password policy', () => {
  const ada = { email: 'ada.lovelace@engine-works.co.uk', name: 'Augusta Ada King' };

  test('a passphrase is taken as it is hashed', async () => {
    expect(await policyOf().check(good, ada)).toEqual({ text: good, breachUnchecked: false });
  });

  test.each([
    ['shorter than the minimum', 'fourteen chars', 'password_too_short'],
    ['longer than 1024 characters', good.repeat(40), 'password_too_long'],
    ['with NUL', `${good}\0`, 'password_not_text'],
    ['common', 'Password12345678', 'password_common'],
    ['the address', 'ada.lovelace@engine-works.co.uk', 'password_contains_context'],
    ['the local part and little else', 'Ada.Lovelace is me', 'password_contains_context'],
    ['a part of the local part', 'lovelace lovely lov', 'password_contains_context'],
    ['the domain', 'engine-works 4 ever!', 'password_contains_context'],
    ['a part of the name', 'the great Augusta', 'password_contains_context'],
    ['the whole name', 'augusta ada king 1815', 'password_contains_context'],
    ['the name of the app', 'my otter projects', 'password_contains_context'],
    ['the name of the app as one word', 'OtterProjects is it', 'password_contains_context'],
  ])('one that is %s is refused, saying why and where', async (_, password, code) => {
    expect(await faultOf(policyOf().check(password, ada))).toBe(`${code} at /password`);
    expect(await faultOf(policyOf().check(password, { ...ada, pointer: '/newPassword' }))).toBe(
      `${code} at /newPassword`,
    );
  });

  test('a passphrase that mentions its owner and is long enough without is taken', async () => {
    const password = 'Augusta drinks tea with seven quiet badgers';
    expect(await policyOf().check(password, ada)).toMatchObject({ text: password });
  });

  test('words of the app count, short ones of people do not', async () => {
    const password = 'bernoulli numbers';
    expect(await faultOf(policyOf().check(password, ada))).toBe('none');
    const contextWords = ['Bernoulli'];
    expect(await faultOf(policyOf({ contextWords }).check(password, ada))).toBe(
      'password_contains_context at /password',
    );
    expect(await faultOf(policyOf().check('ada likes cobalt', { name: 'Ada' }))).toBe('none');
  });

  test('context is compared in NFC and lower case', async () => {
    const owner = { name: 'Zo\u00eb K\u00f6nigin' };
    const password = 'KO\u0308NIGIN of the sea';
    expect(await faultOf(policyOf().check(password, owner))).toBe(
      'password_contains_context at /password',
    );
  });

  test('no message contains the password', async () => {
    for (const password of ['a few chars', 'Password12345678', 'augusta ada king 1815']) {
      const error = await policyOf()
        .check(password, ada)
        .catch((thrown: unknown) => thrown);
      expect(JSON.stringify([String(error), error])).not.toContain(password);
    }
  });

  test('with a minimum of 8 a short one is taken unless it is foreseeable', async () => {
    const policy = policyOf({ minLength: 8 });
    expect(await faultOf(policy.check('tq9#xzmw', ada))).toBe('none');
    expect(await faultOf(policy.check('superman', ada))).toBe('password_common at /password');
    expect(await faultOf(policy.check('augusta-king', ada))).toBe(
      'password_contains_context at /password',
    );
  });

  test('any text of any script that is long enough is never cut and never changed but to NFC', async () => {
    const policy = policyOf({ minLength: 8 });
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', maxLength: 700 }), async (value) => {
        const points = [...value.normalize('NFC')].length;
        const fault = await faultOf(policy.check(value));
        if (value.includes('\0')) expect(fault).toBe('password_not_text at /password');
        else if (points < 8) expect(fault).toBe('password_too_short at /password');
        else if (points > 1024) expect(fault).toBe('password_too_long at /password');
        else expect(fault).toMatch(/^none$|^password_(common|contains_context) /);
        if (fault !== 'none') return;
        const { text } = await policy.check(value);
        expect(text).toBe(value.normalize('NFC'));
      }),
    );
  });

  test('two spellings of the same characters are one password', async () => {
    const policy = policyOf();
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: 'grapheme', minLength: 5, maxLength: 60 }),
        async (tail) => {
          fc.pre(!tail.includes('\0'));
          const value = good + tail;
          const composed = await policy.check(value.normalize('NFC'));
          expect(await policy.check(value.normalize('NFD'))).toEqual(composed);
        },
      ),
    );
  });
});

describe('the breach check', () => {
  const listOf = (isBreached: BreachList['isBreached']) => {
    const asked: string[] = [];
    const breaches: BreachList = {
      isBreached: (password) => (asked.push(password), isBreached(password)),
    };
    return { breaches, asked };
  };
  const unreachable = async () => Promise.reject(new Error('The breach list answered 503.'));

  test('a breached password is refused, another is taken', async () => {
    const { breaches } = listOf(async (password) => password === good);
    const policy = policyOf({ breaches });
    expect(await faultOf(policy.check(good))).toBe('password_breached at /password');
    expect(await policy.check(`${good}!`)).toMatchObject({ breachUnchecked: false });
  });

  test('only what would be taken otherwise is asked for, in NFC', async () => {
    const { breaches, asked } = listOf(async () => false);
    const policy = policyOf({ breaches });
    for (const bad of ['a few chars', 'Password12345678', 'my otter projects'])
      await policy.check(bad).catch(() => {});
    expect(asked).toEqual([]);
    await policy.check(`${good} e\u0301`);
    expect(asked).toEqual([`${good} \u00e9`]);
  });

  test('when the list is unreachable a password is taken, marked and logged without it', async () => {
    const logger = recordingLogger();
    const policy = policyOf(listOf(unreachable), logger);
    expect(await policy.check(good)).toEqual({ text: good, breachUnchecked: true });
    expect(logger.lines).toEqual([
      {
        level: 'warn',
        message: 'a new password was accepted without asking the breach list',
        fields: { reason: 'The breach list answered 503.' },
      },
    ]);
  });

  test('when the list is unreachable and the app wants certainty a password is refused for now', async () => {
    const policy = policyOf({ ...listOf(unreachable), whenBreachListUnreachable: 'refuse' });
    const refusal = await policy.check(good).catch((error: unknown) => error);
    expect(refusal).toMatchObject({
      code: 'auth.breach_check_unavailable',
      kind: 'unavailable',
      details: { retryAfterSeconds: 10 },
    });
  });
});
