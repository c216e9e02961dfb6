import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isCommonPassword } from '../src/passwords/blocklist.ts';
import { commonPasswords } from '../src/passwords/common-passwords.ts';

const listed = commonPasswords.trim().split(/\s+/);

describe('common passwords', () => {
  test('more than the 3000 most common of at least 8 characters are listed (ASVS 5.0 6.2.4), and all are refused in any case', () => {
    const long = listed.filter((word) => word.length >= 8);
    expect(long.length).toBeGreaterThan(3000);
    expect(long.filter((word) => !isCommonPassword(word, 8))).toEqual([]);
    expect(isCommonPassword('PaSsWoRd', 8)).toBe(true);
  });

  test.each([
    'password1234567',
    '2024-monkey-2024',
    '!!! Sunshine !!!',
    'aaaaaaaaaaaaaaaa',
    'ababababababababa',
    'correctcorrectcorrect',
    'passwordpasswor',
    'otters otters otters',
    'abcdefghijklmnopq',
    '987654321098765',
    '123456789123456',
    'qwertyuiopasdfghjkl',
    'aaaabbbbccccddddeeee',
    'абвгдежзийклмно',
  ])('%s is refused although it has 15 characters', (password) => {
    expect([...password].length).toBeGreaterThanOrEqual(15);
    expect(isCommonPassword(password, 15)).toBe(true);
  });

  test.each([
    'seven quiet otters at dawn',
    'correct horse battery staple',
    'an entirely different passphrase',
    'my password is a long sentence',
    'committees keep bookkeepers',
    'wir fahren nach 1848 zurück',
    '我的密码是一个很长的句子真的很长',
    'kX9!vQ2#mZ7@pL4',
    'seven quiet otters at dawn, seven quiet otters at dawn',
  ])('%s is taken', (password) => {
    expect(isCommonPassword(password, 15)).toBe(false);
  });

  test('what a short minimum lets be repeated is as long as the minimum', () => {
    expect(isCommonPassword('tqxzmwptqxzmwp', 8)).toBe(true);
    expect(isCommonPassword('tqxzmwpktqxzmwpk', 8)).toBe(false);
  });

  test('two neighbours of the list with the space between them are no entry', () => {
    expect(commonPasswords).toContain(' baseball football ');
    expect(isCommonPassword('baseball football', 8)).toBe(false);
  });

  test('whatever is repeated to the minimum is refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 4 }), (unit) => {
        const password = unit.repeat(30);
        expect(isCommonPassword(password, 15)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('any digits and signs around a listed word change nothing', () => {
    const padding = fc.stringMatching(/^[0-9 !?.#$-]{0,12}$/);
    const word = fc.constantFrom(...listed.filter((each) => /^\p{L}+$/u.test(each)));
    fc.assert(
      fc.property(padding, word, padding, (before, common, after) => {
        expect(isCommonPassword(before + common + after, 15)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test('the longest password is judged in a moment', () => {
    for (const password of ['1'.repeat(1023) + 'a', 'ab'.repeat(512), 'aab'.repeat(341) + 'x']) {
      const before = performance.now();
      isCommonPassword(password, 15);
      expect(performance.now() - before).toBeLessThan(100);
    }
  });
});
