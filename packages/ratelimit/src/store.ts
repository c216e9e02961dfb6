import type { Algorithm } from './limit.ts';

/** What one limit is asked. */
export interface Claim {
  /** Opaque, at most 64 characters; no two of a call are equal. */
  readonly key: string;
  readonly algorithm: Algorithm;
  readonly quota: number;
  readonly windowMs: number;
  /** The most at once: the burst of `gcra`, else the quota. */
  readonly capacity: number;
  /** A whole number from 0 to the capacity; 0 only looks. */
  readonly cost: number;
  /** Whether it is consumed where it can be and never in the way of the others. */
  readonly shadow: boolean;
}

/** What a limit answered; times are whole milliseconds from when the store decided. */
export interface Outcome {
  /** Whether there was room for the cost. */
  readonly hasRoom: boolean;
  /** What is left after this decision. */
  readonly remaining: number;
  /** After exactly so long there is room, if nobody else comes; not a millisecond earlier. 0 with room. */
  readonly retryAfterMs: number;
  /** After so long nothing of it is used. */
  readonly resetAfterMs: number;
}

/**
 * Keeps the counts. Promises of every store:
 *
 * - A call is one atomic step: where each claim that is no shadow has room, all of them are consumed, and the shadows
 *   that have room; else none is consumed at all, whatever else happens at the same time.
 * - One clock decides, the store's own, in whole milliseconds. Set back, it lets nothing more through.
 * - `gcra`: in any t milliseconds at most capacity + quota × t / windowMs passes (ITU-T I.371, the leaky bucket as a meter).
 * - `sliding_window`: at most the quota passes in any windowMs. Exact while fewer than 32 different moments are kept;
 *   beyond that, it forgets up to windowMs / 32 late, never early.
 * - `fixed_window`: at most the quota passes in each window that begins at a multiple of windowMs since 1970.
 * - What is refused costs nothing. A quota that changes applies to what is already counted.
 * - What is no longer needed to keep these promises may be forgotten, and only that, unless `maxKeys` says otherwise.
 */
export interface RateLimitStore {
  /** Whether it decides in this process: it is never away, and nothing is gained by asking it less. */
  readonly isLocal: boolean;
  /** One outcome for each claim, in order. Rejects when the store cannot be asked. */
  consume(claims: readonly Claim[]): readonly Outcome[] | Promise<readonly Outcome[]>;
}

/** Into how many parts a sliding window is cut: the most moments that are kept of it, plus one. */
export const slidingParts = 32;
