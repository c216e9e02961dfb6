import { ValidationFailed } from '@svc/core';

/**
 * How one kind of hash that another system made is checked. Its owner's next login exchanges it for
 * argon2id. Until then a login to that account takes as long as its hash does, and not as long as one
 * to an unknown address: who measures can tell that the account exists.
 */
export interface ForeignHash {
  /** What it is called in messages. */
  readonly name: string;
  /** Reads a hash of this kind; `undefined` for any other text. */
  parse(value: string): ParsedHash | undefined;
  /** Whether a stored text has the form that `parse` gives. */
  isStored(stored: string): boolean;
  /** Whether the password, in NFC, is the one that the stored hash was made from. */
  verify(stored: string, password: string): Promise<boolean>;
}

export interface ParsedHash {
  /** The form it is stored in. */
  readonly stored: string;
  /** Whether a login with it would take more than about a second or 256 MiB. */
  readonly isTooCostly: boolean;
}

const maxLength = 512;

/**
 * The form in which a hash that was made elsewhere is stored as a user's password.
 *
 * @throws {ValidationFailed} when it is of no kind in `known`, or checking it would cost too much.
 */
export function parseForeignHash(
  value: string,
  known: readonly ForeignHash[],
  pointer = '/passwordHash',
): string {
  if (typeof value !== 'string') throw new TypeError('a hash must be a string');
  const refused = (code: string, message: string) =>
    new ValidationFailed([{ pointer, code, message }]);
  for (const kind of value.length > maxLength ? [] : known) {
    const parsed = kind.parse(value);
    if (parsed === undefined) continue;
    if (!parsed.isTooCostly) return parsed.stored;
    throw refused(
      'password_hash_too_costly',
      `Is a hash by ${kind.name} that takes too much time or memory to check.`,
    );
  }
  const names = known.map(({ name }) => name).join(', ');
  throw refused('password_hash_unknown', `Must be a password hash by one of: ${names}.`);
}
