import { crc32 } from 'node:zlib';
import { isUuid } from '@svc/core';

const alphabet = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** The parts of a key as it is handed out: `prefix_id_secret`, the secret with a checksum at its end. */
export interface KeyParts {
  readonly id: string;
  /** 256 bits in base 62. */
  readonly secret: string;
}

const idLength = 22;
const secretLength = 43;
const checksumLength = 6;

/** Writes a key; letters and digits only, so that a double click marks each part and secret scanners find it. */
export function formatKey(prefix: string, id: string, secretBytes: Uint8Array): string {
  const idPart = toBase62(BigInt(`0x${id.replaceAll('-', '')}`), idLength);
  const secret = toBase62(BigInt(`0x${Buffer.from(secretBytes).toString('hex')}`), secretLength);
  const body = `${prefix}_${idPart}_${secret}`;
  return body + checksum(body);
}

/** The parts of a key, or `null` where the form or the checksum does not fit: junk costs no look into the database. */
export function parseKey(prefix: string, key: string): KeyParts | null {
  const length = prefix.length + idLength + secretLength + checksumLength + 2;
  if (key.length !== length || !key.startsWith(`${prefix}_`)) return null;
  const body = key.slice(0, -checksumLength);
  if (!/^[0-9A-Za-z]{22}_[0-9A-Za-z]{43}$/.test(body.slice(prefix.length + 1))) return null;
  if (checksum(body) !== key.slice(-checksumLength)) return null;
  const [idPart, secret] = body.slice(prefix.length + 1).split('_') as [string, string];
  const hex = fromBase62(idPart).toString(16).padStart(32, '0');
  const id = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return isUuid(id) ? { id, secret } : null;
}

/** CRC-32, as GitHub's tokens have it: it finds typing errors and made-up keys, and protects nothing. */
function checksum(body: string): string {
  return toBase62(BigInt(crc32(body)), checksumLength);
}

function toBase62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = alphabet[Number(rest % 62n)] + text;
  return text.padStart(length, '0');
}

function fromBase62(text: string): bigint {
  let value = 0n;
  for (const digit of text) value = value * 62n + BigInt(alphabet.indexOf(digit));
  return value;
}
