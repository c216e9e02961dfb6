import { domainToASCII } from 'node:url';
import { ValidationFailed } from '@svc/core';

// RFC 5321 4.5.3.1 counts octets. An unquoted local part (RFC 5322 dot-atom).
const maxOctets = 254;
const localPart = /^(?=.{1,64}$)[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*$/;
const domainName =
  /^(?=.*[a-z])(?:(?!-)[a-z0-9-]{1,63}(?<!-)\.)+(?!-)(?!\d+$)[a-z0-9-]{1,63}(?<!-)$/;

export interface InvitedAddress {
  /** As written, trimmed; the domain in ASCII. */
  readonly address: string;
  /** Lower case: what two spellings of one address have in common. */
  readonly normalized: string;
}

/** @throws {ValidationFailed} when it is no e-mail address. */
export function parseAddress(value: string): InvitedAddress {
  const written = value.length > 4 * maxOctets ? '' : value.trim().normalize('NFC');
  const at = written.lastIndexOf('@');
  const local = written.slice(0, Math.max(at, 0));
  // In ASCII (IDNA): spellings of one domain are one mailbox.
  const domain = domainToASCII(written.slice(at + 1));
  const address = `${local}@${domain}`;
  if (
    /[\r\n\0]/.test(value) ||
    address.length > maxOctets ||
    !localPart.test(local) ||
    !domainName.test(domain)
  ) {
    const message = 'Must be an e-mail address of at most 254 characters.';
    throw new ValidationFailed([{ pointer: '/email', code: 'email', message }]);
  }
  return { address, normalized: address.toLowerCase() };
}
