import { describe, expect, test } from 'vitest';
import { parseNewPassword, parsePassword } from '../src/passwords/passwords.ts';

const faultOf = (parse: () => unknown): unknown => {
  try {
    return parse();
  } catch (error) {
    return (error as { details: { errors: { code: string }[] } }).details.errors[0]?.code;
  }
};

describe('passwords', () => {
  test('15 code points are enough, 14 are not, whatever their size in bytes', () => {
    expect(parseNewPassword('🦦'.repeat(15), 15)).toBe('🦦'.repeat(15));
    expect(faultOf(() => parseNewPassword('🦦'.repeat(14), 15))).toBe('password_too_short');
    expect(faultOf(() => parseNewPassword('x'.repeat(14), 15))).toBe('password_too_short');
  });

  test('letters are counted after normalisation', () => {
    expect(faultOf(() => parseNewPassword('e\u0301'.repeat(14), 15))).toBe('password_too_short');
    expect(parseNewPassword('e\u0301'.repeat(15), 15)).toBe('\u00e9'.repeat(15));
  });

  test('1024 characters are accepted, 1025 and a megabyte refused', () => {
    expect(parsePassword('🦦'.repeat(1024))).toHaveLength(2048);
    expect(faultOf(() => parsePassword('x'.repeat(1025)))).toBe('password_too_long');
    expect(faultOf(() => parsePassword('x'.repeat(1_000_000)))).toBe('password_too_long');
  });

  test('NUL and lone surrogates are refused, spaces and every script are kept', () => {
    expect(faultOf(() => parsePassword('a password\0 with more'))).toBe('password_not_text');
    expect(faultOf(() => parsePassword('a password \uD800'))).toBe('password_not_text');
    expect(parsePassword('  ein Satz, 一句话, جملة  ')).toBe('  ein Satz, 一句话, جملة  ');
  });

  test('what is not a string is a bug of the caller', () => {
    expect(() => parsePassword(12 as unknown as string)).toThrow(TypeError);
  });
});
