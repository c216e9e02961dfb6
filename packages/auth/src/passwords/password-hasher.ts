import { hash as argon2Hash, verify as argon2Verify } from '@node-rs/argon2';
import { type Logger, randomBytes, type RandomBytes, silentLogger } from '@svc/core';
import type { WriteOptions } from '../context.ts';
import { AuthBusy } from '../failures.ts';
import { argon2Phc } from './foreign/argon2-phc.ts';
import { type ForeignHash, parseForeignHash } from './foreign-hashes.ts';
import { createHashingLanes } from './hashing-lanes.ts';

/** What one hash costs. */
export interface HashingCost {
  memoryKib: number;
  iterations: number;
  parallelism: number;
}

/** The function that makes and checks PHC strings; argon2id unless a test counts its calls. */
export interface PasswordAlgorithm {
  hash(password: string, cost: HashingCost): Promise<string>;
  verify(phc: string, password: string): Promise<boolean>;
}

export interface HashingOptions extends Partial<HashingCost> {
  /** Memory of one hash in KiB. @default 19456 */
  memoryKib?: number;
  /** Passes over the memory. @default 2 */
  iterations?: number;
  /** Lanes. @default 1 */
  parallelism?: number;
  /** Hashes computed at once. @default 3, which leaves one of libuv's four threads to files and names */
  maxRunning?: number;
  /** Hashes that wait their turn, and as many again of callers within transactions; the next is refused with `auth.busy`. @default 64 */
  maxWaiting?: number;
  /** @default argon2id */
  algorithm?: PasswordAlgorithm;
}

/** Who hashes within a transaction has to say so: their turn is not after those who may wait for its connection. */
export type HashingTurn = Pick<WriteOptions, 'within'>;

export interface PasswordHasher {
  /** @throws {AuthBusy} */
  hash(password: string, turn?: HashingTurn): Promise<string>;
  /**
   * Whether the password fits; without a PHC string `false`, after the same work. A function that looks it up is called
   * when there is a place to hash, so that those who wait or are refused do not ask the database.
   *
   * @throws {AuthBusy}
   */
  verify(
    phc: string | null | (() => Promise<string | null>),
    password: string,
    turn?: HashingTurn,
  ): Promise<boolean>;
  /** Whether the PHC string was made with other parameters than today's, or elsewhere. */
  isOutdated(phc: string): boolean;
  /** The form in which a hash made elsewhere is stored; `verify` understands it. @throws {ValidationFailed} */
  parseForeign(hash: string, pointer?: string): string;
}

/** argon2id, RFC 9106, with a 16-byte salt and a 32-byte tag. */
export const argon2id: PasswordAlgorithm = {
  hash: (password, { memoryKib, iterations, parallelism }) =>
    argon2Hash(password, {
      memoryCost: memoryKib,
      timeCost: iterations,
      parallelism,
      outputLen: 32,
    }),
  verify: (phc, password) => argon2Verify(phc, password),
};

export interface HasherSurroundings {
  /** Hashes of other systems, which are checked within the same bounds. @default argon2 with any parameters */
  foreign?: readonly ForeignHash[];
  /** @default randomBytes */
  random?: RandomBytes;
  /** @default silentLogger */
  logger?: Logger;
}

/** Hashes passwords within bounds. The default cost is the OWASP Password Storage Cheat Sheet's for argon2id. @throws {TypeError} on an unusable option. */
export function createPasswordHasher(
  {
    memoryKib = 19_456,
    iterations = 2,
    parallelism = 1,
    maxRunning = 3,
    maxWaiting = 64,
    algorithm = argon2id,
  }: HashingOptions = {},
  { foreign = [], random = randomBytes, logger = silentLogger }: HasherSurroundings = {},
): PasswordHasher {
  for (const [option, value, least] of [
    ['memoryKib', memoryKib, 8 * parallelism],
    ['iterations', iterations, 1],
    ['parallelism', parallelism, 1],
    ['maxRunning', maxRunning, 1],
    ['maxWaiting', maxWaiting, 0],
  ] as const) {
    if (!Number.isInteger(value) || value < least)
      throw new TypeError(`hashing.${option} must be a whole number of at least ${least}`);
  }
  const prefix = `$argon2id$v=19$m=${memoryKib},t=${iterations},p=${parallelism}$`;
  // A PHC string that fits no password: checking against it costs what checking a real one costs.
  const nobodys = `${prefix}${phcBase64(random(16))}$${phcBase64(random(32))}`;
  const lanes = createHashingLanes({
    maxRunning,
    maxWaiting,
    refusal: () => new AuthBusy({ retryAfterSeconds: 1 }),
  });
  const check = async (phc: string | null, password: string) => {
    const kind = phc === null ? undefined : foreign.find((each) => each.isStored(phc));
    if (phc !== null && kind !== undefined) return kind.verify(phc, password);
    const isOurs = phc !== null && (algorithm !== argon2id || argon2Phc.isStored(phc));
    // As for nobody: an error would tell that the account exists.
    if (phc !== null && !isOurs) logger.error(unreadable(phc), 'a password hash cannot be read');
    const fits = await algorithm.verify(isOurs ? phc : nobodys, password);
    return fits && isOurs;
  };
  return {
    hash: (password, turn = {}) =>
      lanes.run(
        () => password,
        (text) => algorithm.hash(text, { memoryKib, iterations, parallelism }),
        turn,
      ),
    verify: (phc, password, turn = {}) =>
      lanes.run(
        typeof phc === 'function' ? phc : () => phc,
        (stored) => check(stored, password),
        turn,
      ),
    isOutdated: (phc) => !phc.startsWith(prefix),
    parseForeign: (hash, pointer) => parseForeignHash(hash, [argon2Phc, ...foreign], pointer),
  };
}

// Imported by a kind that `passwords.foreign` does not have any more: its name, and nothing of the hash.
const unreadable = (phc: string) => ({
  scheme: /^\$[a-z0-9-]{1,32}\$/.exec(phc)?.[0] ?? 'unknown',
});

const phcBase64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64').replaceAll('=', '');
