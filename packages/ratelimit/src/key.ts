import { hash } from 'node:crypto';
import type { Policy } from './limit.ts';

/** Whom a limit counts: an address, a user, or several such parts. None may be empty. */
export type LimitKey = string | readonly string[];

/**
 * Writes policy and key so that no two differ in parts and agree in text: each part after its length. Window and
 * algorithm belong to it, for what one counts means nothing to the other; quota does not, so that who gets a larger
 * one (or a smaller) keeps what they have used.
 *
 * @throws {TypeError} when a part is missing: everybody without it would share one count.
 */
export function writeKey({ name, algorithm, windowMs }: Policy, key: LimitKey): string {
  let text = `${name} ${algorithm} ${windowMs}`;
  if (typeof key === 'string') return text + writePart(name, key);
  if (!Array.isArray(key) || key.length === 0) throw missing(name);
  for (const part of key) text += writePart(name, part);
  return text;
}

function writePart(name: string, part: string): string {
  if (typeof part !== 'string' || part === '') throw missing(name);
  return ` ${part.length}:${part}`;
}

const missing = (name: string) =>
  new TypeError(`limit ${name}: a part of the key is missing; leave the limit out where it is`);

/** What a store sees of a key: 256 bits of hash, so that no store holds who was counted, and no key is long. */
export const hashKey = (written: string): string => hash('sha256', written, 'base64url');

/** `hashKey` that remembers the keys of late: who calls once mostly calls again. */
export function createKeyHasher(maxKeys = 5000): (written: string) => string {
  let known = new Map<string, string>();
  return (written) => {
    const found = known.get(written);
    if (found !== undefined) return found;
    if (known.size >= maxKeys) known = new Map();
    const hashed = hashKey(written);
    if (written.length <= 256) known.set(written, hashed);
    return hashed;
  };
}

/** For maps of this process: short keys as they are, since hashing costs more than a decision. */
export const shortKey = (written: string): string =>
  written.length > 256 ? hashKey(written) : written;
