import type { Logger } from '@svc/core';
import { BreachCheckUnavailable } from '../failures.ts';
import { isCommonPassword } from './blocklist.ts';
import type { BreachList } from './breaches.ts';
import { contextWords, leansOnContext } from './context-words.ts';
import type { ForeignHash } from './foreign-hashes.ts';
import { maxPasswordLength, parseNewPassword, passwordFault } from './passwords.ts';

/** What a new password must be, and which old ones are understood. */
export interface PasswordOptions {
  /** The least number of code points. @default 15, NIST SP 800-63B-4 for a password alone; 8 is enough where a second factor is demanded */
  minLength?: number;
  /** Where breached passwords are looked up, such as `haveIBeenPwned({ fetch })`. @default nowhere */
  breaches?: BreachList;
  /** What becomes of a new password when the list cannot be asked: `accept` logs a warning and marks the event `breachUnchecked`, `refuse` fails with `auth.breach_check_unavailable`. @default 'accept' */
  whenBreachListUnreachable?: 'accept' | 'refuse';
  /** What a password must not lean on, beside the person's address and name and `appName`. @default none */
  contextWords?: readonly string[];
  /** How imported hashes are checked until their owners sign in; argon2 needs none. @default none */
  foreign?: readonly ForeignHash[];
}

/** Who a password is for, and where in the input it stands. */
export interface PasswordOwner {
  readonly email?: string | undefined;
  readonly name?: string | null | undefined;
  /** A JSON Pointer. @default '/password' */
  readonly pointer?: string | undefined;
}

/** A password that may be hashed and put in force. */
export interface NewPassword {
  /** As it is hashed. */
  readonly text: string;
  /** Whether it was let through because the breach list could not be asked. */
  readonly breachUnchecked: boolean;
}

/** What passwords must be, after NIST SP 800-63B-4 3.1.1.2: long and not foreseeable; no rule of composition. */
export interface PasswordPolicy {
  /** The least number of code points. */
  readonly minLength: number;
  /** Takes a password that somebody chooses now. @throws {ValidationFailed} @throws {BreachCheckUnavailable} */
  check(password: string, owner?: PasswordOwner): Promise<NewPassword>;
}

/** @throws {TypeError} when an option is not usable. */
export function createPasswordPolicy(
  {
    minLength = 15,
    breaches,
    whenBreachListUnreachable = 'accept',
    contextWords: words = [],
  }: PasswordOptions,
  { appName, logger }: { appName: string; logger: Logger },
): PasswordPolicy {
  if (!Number.isInteger(minLength) || minLength < 8 || minLength > maxPasswordLength) {
    throw new TypeError(
      `passwords.minLength must be a whole number from 8 to ${maxPasswordLength}`,
    );
  }
  if (!['accept', 'refuse'].includes(whenBreachListUnreachable))
    throw new TypeError("passwords.whenBreachListUnreachable must be 'accept' or 'refuse'");
  /** Whether it is on the list, or `undefined` when that cannot be known. */
  const isBreached = async (password: string) => {
    try {
      return (await breaches?.isBreached(password)) ?? false;
    } catch (error) {
      if (whenBreachListUnreachable === 'refuse')
        throw new BreachCheckUnavailable({ retryAfterSeconds: 10 }, { cause: error });
      const reason = error instanceof Error ? error.message : 'unknown';
      logger.warn({ reason }, 'a new password was accepted without asking the breach list');
      return undefined;
    }
  };
  return {
    minLength,
    async check(value, { email, name, pointer = '/password' } = {}) {
      const text = parseNewPassword(value, minLength, pointer);
      const fault = (code: keyof typeof messages) => passwordFault(pointer, code, messages[code]);
      if (isCommonPassword(text, minLength)) throw fault('password_common');
      const context = contextWords({ appName, words, email, name });
      if (leansOnContext(text, context, minLength)) throw fault('password_contains_context');
      // Last, so that only what would be accepted is asked for.
      const breached = await isBreached(text);
      if (breached === true) throw fault('password_breached');
      return { text, breachUnchecked: breached === undefined };
    },
  };
}

// NIST SP 800-63B-4 3.1.1.2: who is refused is told why.
const messages = {
  password_common: 'Is one of the passwords that are guessed first. Choose another.',
  password_contains_context:
    'Is too short without your name, your address and the name of this service. Choose another.',
  password_breached: 'Has appeared in a data breach elsewhere. Choose another.',
};
