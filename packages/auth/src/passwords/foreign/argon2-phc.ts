import { parseOptions, verify } from '@node-rs/argon2';
import type { ForeignHash } from '../foreign-hashes.ts';

const pattern =
  /^\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=\d{1,10},t=\d{1,10},p=\d{1,3}\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/;
const maxMemoryKib = 262_144;
/** KiB times passes: about a second. */
const maxWork = 1_048_576;
const maxLanes = 16;

/** argon2id, argon2i and argon2d of any parameters, as PHC strings. */
export const argon2Phc: ForeignHash = {
  name: 'argon2',
  parse(value) {
    const costs = costsOf(value);
    if (costs === undefined) return undefined;
    const { memoryCost, timeCost, parallelism } = costs;
    const isTooCostly =
      memoryCost > maxMemoryKib || memoryCost * timeCost > maxWork || parallelism > maxLanes;
    return { stored: value, isTooCostly };
  },
  isStored: (stored) => stored.startsWith('$argon2'),
  verify,
};

function costsOf(value: string) {
  if (!pattern.test(value)) return undefined;
  try {
    return parseOptions(value);
  } catch {
    // What the library cannot read would be an error at every login.
    return undefined;
  }
}
