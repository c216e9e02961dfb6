import { verify } from '@node-rs/argon2';
import type { ForeignHash } from '../foreign-hashes.ts';

const pattern =
  /^\$argon2(?:id|i|d)\$(?:v=(?:16|19)\$)?m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/;
const maxMemoryKib = 262_144;
const maxWorkKib = 1_048_576;
const maxLanes = 16;

/** argon2id, argon2i and argon2d of any parameters, as PHC strings. */
export const argon2Phc: ForeignHash = {
  name: 'argon2',
  parse(value) {
    const match = pattern.exec(value);
    if (match === null) return undefined;
    const [memoryKib, passes, lanes] = match.slice(1).map(Number) as [number, number, number];
    const isTooCostly =
      memoryKib > maxMemoryKib || memoryKib * passes > maxWorkKib || lanes > maxLanes;
    return { stored: value, isTooCostly };
  },
  isStored: (stored) => stored.startsWith('$argon2'),
  verify,
};
