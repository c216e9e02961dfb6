import { constantTimeEqual } from '@svc/core';
import type { ForeignHash } from '../foreign-hashes.ts';
import { scrypt } from './scrypt.ts';

const prefix = '$better-auth-scrypt$';

/** `salt:key` as better-auth stores it (`@better-auth/utils`, `password.node.mjs`): scrypt with N=16384, r=16, p=1 over the password in NFKC, salted with the text of the salt and not with what it encodes. */
export const betterAuthScrypt: ForeignHash = {
  name: 'better-auth (scrypt)',
  parse(value) {
    const match = /^([\w+/=-]{8,128}):([0-9a-f]{128})$/.exec(value);
    return match === null
      ? undefined
      : { stored: `${prefix}${match[1]}$${match[2]}`, isTooCostly: false };
  },
  isStored: (stored) => stored.startsWith(prefix),
  async verify(stored, password) {
    const [salt = '', key = ''] = stored.slice(prefix.length).split('$');
    const found = await scrypt(password.normalize('NFKC'), salt, 64, { N: 16_384, r: 16, p: 1 });
    return constantTimeEqual(found, Buffer.from(key, 'hex'));
  },
};
