import { ValidationFailed } from '@svc/core';

/** Far beyond the 64 that NIST SP 800-63B-4 asks to allow, and a bound on the work one request can cause. */
export const maxPasswordLength = 1024;

/**
 * A password as it is hashed: NFC (NIST SP 800-63B-4 3.1.1.2), never cut.
 *
 * @throws {ValidationFailed} when it is over 1024 characters or is not text.
 */
export function parsePassword(value: string, pointer = '/password'): string {
  if (typeof value !== 'string') throw new TypeError('password must be a string');
  // Before normalising, which is work. A character is at most two code units.
  if (value.length > 2 * maxPasswordLength) throw tooLong(pointer);
  // Lone surrogates would all become U+FFFD, and so different passwords one.
  if (/[\0\p{Cs}]/u.test(value)) {
    throw passwordFault(pointer, 'password_not_text', 'Must be text without NUL characters.');
  }
  const password = value.normalize('NFC');
  if (lengthOf(password) > maxPasswordLength) throw tooLong(pointer);
  return password;
}

/**
 * A password that somebody chooses now, by its form alone.
 *
 * @throws {ValidationFailed} also when it has fewer than `minLength` code points.
 */
export function parseNewPassword(value: string, minLength: number, pointer = '/password'): string {
  const password = parsePassword(value, pointer);
  if (lengthOf(password) < minLength) {
    const message = `Must have at least ${minLength} characters.`;
    throw passwordFault(pointer, 'password_too_short', message);
  }
  return password;
}

export const passwordFault = (pointer: string, code: string, message: string) =>
  new ValidationFailed([{ pointer, code, message }]);

// Each code point counts as one (NIST SP 800-63B-4 3.1.1.2).
const lengthOf = (password: string) => [...password].length;

const tooLong = (pointer: string) =>
  passwordFault(pointer, 'password_too_long', `Must have at most ${maxPasswordLength} characters.`);
