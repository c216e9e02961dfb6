import { crc32 } from 'node:zlib';
import { isUuid } from '@svc/core';

// Tokens that people see: letters and digits only, so that a double click marks each part and secret scanners find them,
// with a checksum at the end, so that junk costs no look into the database.
const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** Digits of a UUID in base 62. */
export const idLength = 22;
/** Digits of 256 bits in base 62. */
export const secretLength = 43;
export const checksumLength = 6;

/** A token: its body with a checksum behind it. */
export const withChecksum = (body: string): string => body + checksum(body);

/** The body of a token, or `null` where the checksum does not fit. */
export function checkedBody(token: string): string | null {
  const body = token.slice(0, -checksumLength);
  return checksum(body) === token.slice(-checksumLength) ? body : null;
}

export const idToBase62 = (id: string): string =>
  toBase62(BigInt(`0x${id.replaceAll('-', '')}`), idLength);

/** The UUID that `idToBase62` wrote, or `null` where it is none. */
export function idFromBase62(text: string): string | null {
  const hex = fromBase62(text).toString(16).padStart(32, '0');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return isUuid(id) ? id : null;
}

export const secretToBase62 = (bytes: Uint8Array): string =>
  toBase62(BigInt(`0x${Buffer.from(bytes).toString('hex')}`), secretLength);

export function toBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = alphabet[Number(rest % 62n)] + text;
  return text.padStart(length, '0');
}

/** Of a text with nothing but the 62 digits. */
export function fromBase62(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(alphabet.indexOf(digit));
  return value;
}

/** CRC-32, as GitHub's tokens have it: it finds typing errors and made-up tokens, and protects nothing. */
function checksum(body: string): string {
  return toBase62(BigInt(crc32(body)), checksumLength);
}
