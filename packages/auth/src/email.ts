import { ValidationFailed } from '@svc/core';

export interface EmailAddress {
  /** As written, trimmed, NFC. */
  readonly address: string;
  /** Lower case: two spellings that differ only by case are one account. */
  readonly normalized: string;
}

// RFC 5321 4.5.3.1 counts octets.
const maxOctets = 254;
const maxLocalOctets = 64;
// An unquoted local part (RFC 5322 dot-atom, RFC 6531 for letters beyond ASCII).
const localPart = /^[^\s\p{C}@"(),:;<>[\\\].]+(?:\.[^\s\p{C}@"(),:;<>[\\\].]+)*$/u;
const domainLabel = /^(?!-)[\p{L}\p{N}\p{M}-]{1,63}(?<!-)$/u;

/** An address in the one form the package works with. @throws {ValidationFailed} when it is none. */
export function parseEmail(value: string): EmailAddress {
  if (typeof value !== 'string') throw new TypeError('email must be a string');
  // Before trimming: an address that ends in a line break is an attempt, not a slip of the hand.
  if (/[\r\n\0]/.test(value)) throw refused();
  if (value.length > 4 * maxOctets) throw refused();
  const address = value.trim().normalize('NFC');
  const at = address.lastIndexOf('@');
  const local = address.slice(0, Math.max(at, 0));
  const labels = address.slice(at + 1).split('.');
  const fits =
    Buffer.byteLength(address) <= maxOctets && Buffer.byteLength(local) <= maxLocalOctets;
  if (!fits || !localPart.test(local) || labels.length < 2) throw refused();
  if (!labels.every((label) => domainLabel.test(label)) || /^\d+$/.test(labels.at(-1) as string))
    throw refused();
  return { address, normalized: address.toLowerCase().normalize('NFC') };
}

const refused = () =>
  new ValidationFailed([
    {
      pointer: '/email',
      code: 'email',
      message: 'Must be an e-mail address of at most 254 characters.',
    },
  ]);
