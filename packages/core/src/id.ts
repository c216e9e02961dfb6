import { type Clock, systemClock } from './clock.ts';
import { randomBytes, type RandomBytes } from './random.ts';

/** Makes a new identifier. */
export type NewId = () => string;

export interface UuidV7Options {
  /** @default systemClock */
  clock?: Clock;
  /** @default randomBytes */
  random?: RandomBytes;
}

const poolIds = 128;
const randomPerId = 10;

/**
 * A generator of UUIDv7 (RFC 9562): sortable by creation, strictly increasing within one generator,
 * also when the clock steps back or many are made in one millisecond (section 6.2, method 1: a 12-bit
 * counter after the time, that borrows the next millisecond when it overflows).
 */
export function createUuidV7({
  clock = systemClock,
  random = randomBytes,
}: UuidV7Options = {}): NewId {
  let lastMs = -1;
  let counter = 0;
  // One call to the generator for 128 ids: it is the costly part.
  let pool: Buffer = Buffer.alloc(0);
  let offset = 0;

  return () => {
    if (offset >= pool.length) {
      const bytes = random(poolIds * randomPerId);
      pool = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      offset = 0;
    }
    const nowMs = clock.now().getTime();
    if (nowMs > lastMs) {
      lastMs = nowMs;
      counter = pool.readUInt16BE(offset) & 0x7ff;
    } else if (++counter > 0xfff) {
      lastMs += 1;
      counter = pool.readUInt16BE(offset) & 0x7ff;
    }
    const tail = pool.toString('hex', offset + 2, offset + randomPerId);
    offset += randomPerId;
    const time = lastMs.toString(16).padStart(12, '0');
    const variant = ((Number.parseInt(tail[0] as string, 16) & 0x3) | 0x8).toString(16);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${tail.slice(1, 4)}-${tail.slice(4)}`;
  };
}

/** A new UUIDv7 from the system clock. */
export const uuidv7: NewId = createUuidV7();

/** Whether a text is a UUID in its usual form (any version), in either case. */
export function isUuid(value: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(value);
}
