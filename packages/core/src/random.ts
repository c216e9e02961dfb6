import { createHash, randomBytes as nodeRandomBytes, timingSafeEqual } from 'node:crypto';

/** A source of `size` unpredictable bytes. */
export type RandomBytes = (size: number) => Uint8Array;

/** Bytes from the operating system's generator. */
export const randomBytes: RandomBytes = (size) => nodeRandomBytes(size);

/** An unguessable token in base64url, 256 bits unless told (ASVS 5.0 7.2.3 asks for 128). */
export function randomToken(bytes = 32, source: RandomBytes = randomBytes): string {
  return Buffer.from(source(bytes)).toString('base64url');
}

/** SHA-256 of a text (as UTF-8) or of bytes. */
export function sha256(value: string | Uint8Array): Uint8Array {
  return createHash('sha256').update(value).digest();
}

/** Whether two secrets are equal, in a time that depends on neither content nor on where they differ. */
export function constantTimeEqual(a: string | Uint8Array, b: string | Uint8Array): boolean {
  // Hashing first makes the lengths equal, which timingSafeEqual demands.
  return timingSafeEqual(sha256(a), sha256(b));
}
