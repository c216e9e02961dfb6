import { verify } from '@node-rs/bcrypt';
import type { ForeignHash } from './passwords/foreign-hashes.ts';

const pattern = /^\$2[aby]\$(\d{2})\$[./A-Za-z0-9]{53}$/;
// About a second, and each step doubles it. Most libraries use 10 to 12.
const maxCost = 14;

/**
 * bcrypt, `$2a$`, `$2b$` and `$2y$`, cost 4 to 14. As everywhere, it looks at the first 72 bytes of a
 * password only; from the next login on all of it counts.
 */
export const bcrypt: ForeignHash = {
  name: 'bcrypt',
  parse(value) {
    const cost = Number(pattern.exec(value)?.[1]);
    if (!(cost >= 4 && cost <= 31)) return undefined;
    return { stored: value, isTooCostly: cost > maxCost };
  },
  isStored: (stored) => pattern.test(stored),
  verify: (stored, password) => verify(password, stored),
};
