import { createCipheriv } from 'node:crypto';
import { constantTimeEqual } from '@svc/core';
import type { ForeignHash } from '../foreign-hashes.ts';
import { scrypt } from './scrypt.ts';

/** The password hash parameters of a Firebase project, as its console shows them. */
export interface FirebaseScryptOptions {
  /** `base64_signer_key`: a secret, which is not stored with the hashes. */
  signerKey: string;
  /** `base64_salt_separator`. */
  saltSeparator: string;
  /** 1 to 8. */
  rounds: number;
  /** `mem_cost`, 1 to 14. */
  memCost: number;
}

const prefix = '$firebase-scrypt$';
const base64 = /^[A-Za-z0-9+/_-]+={0,2}$/;

/**
 * Firebase's scrypt (https://github.com/firebase/scrypt): the key encrypts the project's signer key.
 * A user's export is given as `$firebase-scrypt$SALT$PASSWORD_HASH`, both in base64 as exported.
 *
 * @throws {TypeError} when a parameter is not usable.
 */
export function firebaseScrypt({
  signerKey,
  saltSeparator,
  rounds,
  memCost,
}: FirebaseScryptOptions): ForeignHash {
  if (!base64.test(signerKey)) throw new TypeError('signerKey must be base64');
  if (saltSeparator !== '' && !base64.test(saltSeparator))
    throw new TypeError('saltSeparator must be base64');
  if (!isWhole(rounds, 8)) throw new TypeError('rounds must be a whole number from 1 to 8');
  if (!isWhole(memCost, 14)) throw new TypeError('memCost must be a whole number from 1 to 14');
  const signer = Buffer.from(signerKey, 'base64');
  const separator = Buffer.from(saltSeparator, 'base64');
  return {
    name: 'Firebase (scrypt)',
    parse(value) {
      const [salt = '', hash = '', ...rest] = value.startsWith(prefix)
        ? value.slice(prefix.length).split('$')
        : [];
      const fits =
        rest.length === 0 &&
        base64.test(salt) &&
        base64.test(hash) &&
        Buffer.from(hash, 'base64').length === signer.length;
      return fits ? { stored: value, isTooCostly: false } : undefined;
    },
    isStored: (stored) => stored.startsWith(prefix),
    async verify(stored, password) {
      const [salt = '', hash = ''] = stored.slice(prefix.length).split('$');
      const salted = Buffer.concat([Buffer.from(salt, 'base64'), separator]);
      const key = await scrypt(password, salted, 32, { N: 2 ** memCost, r: rounds, p: 1 });
      const signed = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(signer);
      return constantTimeEqual(signed, Buffer.from(hash, 'base64'));
    },
  };
}

const isWhole = (value: number, most: number) =>
  Number.isInteger(value) && value >= 1 && value <= most;
