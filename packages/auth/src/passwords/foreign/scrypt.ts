import { scrypt as nodeScrypt } from 'node:crypto';
import { promisify } from 'node:util';

const derive = promisify<
  string,
  string | Uint8Array,
  number,
  { N: number; r: number; p: number; maxmem: number },
  Buffer
>(nodeScrypt);

/** scrypt, RFC 7914, with as much memory as its parameters ask for. */
export function scrypt(
  password: string,
  salt: string | Uint8Array,
  length: number,
  { N, r, p }: { N: number; r: number; p: number },
): Promise<Buffer> {
  // OpenSSL counts a little more than the 128·N·r bytes of the RFC.
  return derive(password, salt, length, { N, r, p, maxmem: 128 * (N + p + 2) * r + 65_536 });
}
