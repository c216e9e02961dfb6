import { domainToASCII } from 'node:url';
import { ValidationFailed } from '@svc/core';

export interface EmailAddress {
  /** As written, trimmed; the domain in ASCII. */
  readonly address: string;
  /** Lower case: two spellings that differ only by case are one account. */
  readonly normalized: string;
}

// RFC 5321 4.5.3.1 counts octets.
const maxOctets = 254;
const maxLocalOctets = 64;
// An unquoted local part (RFC 5322 dot-atom). Letters beyond ASCII need RFC 6531 on the whole way of a mail.
const localPart = /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const domainLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/** An address in the one form the package works with. @throws {ValidationFailed} when it is none. */
export function parseEmail(value: string): EmailAddress {
  if (typeof value !== 'string') throw new TypeError('email must be a string');
  // Before trimming: an address that ends in a line break is an attempt, not a slip of the hand.
  if (/[\r\n\0]/.test(value)) throw refused();
  if (value.length > 4 * maxOctets) throw refused();
  const written = value.trim().normalize('NFC');
  const at = written.lastIndexOf('@');
  const local = written.slice(0, Math.max(at, 0));
  // In ASCII (IDNA): `ｅxample.com` and `example.com` are one domain, and so one mailbox.
  const domain = domainToASCII(written.slice(at + 1));
  const address = `${local}@${domain}`;
  const labels = domain.split('.');
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
