import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto';
import { randomBytes, type RandomBytes } from './random.ts';

/** Encrypts what must be readable again, such as the secret of an authenticator app. */
export interface Cipher {
  /** Encrypts a text with the newest key. `context` says what it is and whose: it opens with the same context only. */
  seal(plaintext: string, context: string): string;
  /** The text that `seal` got. @throws {Error} when it was changed, belongs to another context, or its key is not among `keys`. */
  open(sealed: string, context: string): string;
  /** Whether a sealed text should be sealed anew, because its key is not the newest. */
  isOutdated(sealed: string): boolean;
}

export interface CipherOptions {
  /** The newest first; the others only open what they sealed. At least 32 characters each, from a generator. */
  keys: readonly { readonly id: string; readonly secret: string }[];
  /** @default randomBytes */
  random?: RandomBytes;
}

const ivBytes = 12;
const tagBytes = 16;

/**
 * AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce, so at most 2^32 texts per key; a key is derived from
 * its secret by HKDF-SHA-256 (RFC 5869). A sealed text is `v1.<key id>.<nonce, ciphertext and tag in base64url>`.
 *
 * @throws {TypeError} when there is no key, or one is not usable.
 */
export function createCipher({ keys, random = randomBytes }: CipherOptions): Cipher {
  const derived = new Map<string, Uint8Array>();
  for (const { id, secret } of keys) {
    if (!/^[A-Za-z0-9_-]{1,32}$/.test(id))
      throw new TypeError('a key id has 1 to 32 letters, digits, hyphens or underscores');
    if (secret.length < 32) throw new TypeError('the secret of a key has at least 32 characters');
    if (derived.has(id)) throw new TypeError('two keys have the same id');
    derived.set(id, new Uint8Array(hkdfSync('sha256', secret, '', 'svc.cipher.v1', 32)));
  }
  const newest = keys[0];
  if (newest === undefined) throw new TypeError('a cipher needs a key');
  const newestKey = derived.get(newest.id) as Uint8Array;
  return {
    seal(plaintext, context) {
      const iv = random(ivBytes);
      const cipher = createCipheriv('aes-256-gcm', newestKey, iv);
      cipher.setAAD(Buffer.from(context));
      const body = Buffer.concat([cipher.update(plaintext, 'utf8'), cipher.final()]);
      const sealed = Buffer.concat([iv, body, cipher.getAuthTag()]);
      return `v1.${newest.id}.${sealed.toString('base64url')}`;
    },
    open(sealed, context) {
      const [, id, encoded] = /^v1\.([^.]+)\.([\w-]+)$/.exec(sealed) ?? [];
      const key = id === undefined ? undefined : derived.get(id);
      if (key === undefined || encoded === undefined)
        throw new Error(
          'a sealed text has no form that is known, or its key is not among the keys',
        );
      const bytes = Buffer.from(encoded, 'base64url');
      const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, ivBytes), {
        authTagLength: tagBytes,
      });
      decipher.setAAD(Buffer.from(context));
      decipher.setAuthTag(bytes.subarray(-tagBytes));
      const body = bytes.subarray(ivBytes, -tagBytes);
      return Buffer.concat([decipher.update(body), decipher.final()]).toString('utf8');
    },
    isOutdated: (sealed) => !sealed.startsWith(`v1.${newest.id}.`),
  };
}
