import { trimOws } from './traceparent.ts';

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** `baggage-octet` of W3C Baggage: printable, without space, quote, comma, semicolon and backslash. */
const octets = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;
const mostMembers = 64;
const mostBytes = 8192;

/** The list of W3C Baggage; `undefined` where it is not one, or above 64 members or 8192 bytes. */
export function readBaggage(header: string | undefined): string | undefined {
  if (header === undefined || header.length > mostBytes) return undefined;
  const members = header.split(',').map(trimOws).filter(Boolean);
  if (members.length === 0 || members.length > mostMembers) return undefined;
  return members.every(isMember) ? members.join(',') : undefined;
}

function isMember(member: string): boolean {
  const [entry = '', ...properties] = member.split(';').map(trimOws);
  return isPair(entry, true) && properties.every((property) => isPair(property, false));
}

function isPair(text: string, needsValue: boolean): boolean {
  const at = text.indexOf('=');
  if (at < 0) return !needsValue && token.test(text);
  return token.test(trimOws(text.slice(0, at))) && octets.test(trimOws(text.slice(at + 1)));
}
