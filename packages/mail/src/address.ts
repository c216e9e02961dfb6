import { domainToASCII } from 'node:url';
import { InvalidAddress } from './failures.ts';
import { isDisplayName } from './header-text.ts';

/** One person or thing that has a mailbox. */
export interface Mailbox {
  /** `local@domain`. */
  readonly address: string;
  /** The name shown beside it. */
  readonly name?: string;
}

// RFC 5321: 4.5.3.1.1 (local part), 4.5.3.1.3 (a path of 256 octets holds two angle brackets).
const longestLocalPart = 64;
const longestAddress = 254;
const longestName = 255;

// RFC 5321 section 4.1.2, Dot-string: quoted local parts are legal, nobody has one, and they can hold anything.
const localPart = /^[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/i;
// Before the conversion to ASCII, which also decodes percent signs and reads numbers as IPv4 addresses.
const unicodeDomain = /^[\p{L}\p{M}\p{N}-]+(?:\.[\p{L}\p{M}\p{N}-]+)*$/u;
const asciiLabel = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * One address in the form it is sent in: the domain in lower case and in ASCII (IDNA, UTS 46), the
 * local part as given. At most 254 octets (RFC 5321 section 4.5.3.1.3); no lists, comments, quoted
 * local parts, address literals or local parts outside ASCII.
 *
 * @throws {InvalidAddress}
 */
export function parseAddress(text: string): string {
  const at = text.lastIndexOf('@');
  const local = text.slice(0, Math.max(at, 0));
  // Cut first, so that a megabyte is not matched against expressions.
  if (at < 1 || text.length > longestAddress || local.length > longestLocalPart)
    throw new InvalidAddress();
  if (!localPart.test(local)) throw new InvalidAddress();
  const address = `${local}@${asciiDomain(text.slice(at + 1))}`;
  if (address.length > longestAddress) throw new InvalidAddress();
  return address;
}

/**
 * A mailbox as people write it in a setting: `ada@example.com` or `Ada <ada@example.com>`.
 *
 * @throws {InvalidAddress}
 */
export function parseMailbox(text: string): Mailbox {
  const match = /^\s*("?)([^"<>\\]*)\1\s*<([^<>\s]+)>\s*$/.exec(text);
  if (match === null) return { address: parseAddress(text.trim()) };
  return toMailbox({ address: match[3] as string, name: (match[2] as string).trim() });
}

/** The mailbox, its address in the form it is sent in. @throws {InvalidAddress} also when the name is not one line. */
export function toMailbox(mailbox: string | Mailbox): Mailbox {
  const { address, name = '' } = typeof mailbox === 'string' ? { address: mailbox } : mailbox;
  if (typeof address !== 'string' || typeof name !== 'string') {
    throw new TypeError('a mailbox is an address, or { address, name }');
  }
  if (name.length > longestName || !isDisplayName(name)) throw new InvalidAddress();
  return name === ''
    ? { address: parseAddress(address) }
    : { address: parseAddress(address), name };
}

function asciiDomain(domain: string): string {
  const ascii = unicodeDomain.test(domain) ? domainToASCII(domain) : '';
  const labels = ascii.split('.');
  // A last label of digits is an IPv4 address, written plainly or not.
  if (!labels.every((label) => asciiLabel.test(label)) || /^\d+$/.test(labels.at(-1) as string)) {
    throw new InvalidAddress();
  }
  return ascii;
}
