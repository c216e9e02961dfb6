import type { Algorithm } from './limit.ts';
import { type Claim, type Outcome, slidingParts } from './store.ts';

/** What is kept of one key. */
export interface Counts {
  /** Of `gcra`: what has not drained yet, in 1/windowMs of a call. Of `fixed_window`: what passed in the window. */
  level: number;
  /** Of `gcra`: when `level` was so. Of `fixed_window`: the number of the window. */
  at: number;
  /** Of `sliding_window`: when something passed and how much, in turn. */
  moments: number[];
}

/** One way of counting, as pure arithmetic on whole numbers. */
export interface Meter {
  /** What the claim would find now; changes nothing. */
  look(claim: Claim, counts: Counts | undefined, nowMs: number): Outcome;
  /** The counts after the claim, which must have room. */
  take(claim: Claim, counts: Counts | undefined, nowMs: number): Counts;
}

const gcra: Meter = {
  look(claim, counts, nowMs) {
    const { windowMs, capacity, cost, quota } = claim;
    const level = drained(claim, counts, nowMs);
    const over = level + cost * windowMs - capacity * windowMs;
    return {
      hasRoom: over <= 0,
      remaining: Math.max(0, Math.floor((capacity * windowMs - level) / windowMs)),
      retryAfterMs: over <= 0 ? 0 : Math.ceil(over / quota),
      resetAfterMs: Math.ceil(level / quota),
    };
  },
  take(claim, counts, nowMs) {
    const level = drained(claim, counts, nowMs) + claim.cost * claim.windowMs;
    return { level, at: nowMs, moments: [] };
  },
};

// A clock that was set back drains nothing, and goes on from where it is.
const drained = ({ quota }: Claim, counts: Counts | undefined, nowMs: number) =>
  counts === undefined ? 0 : Math.max(0, counts.level - Math.max(0, nowMs - counts.at) * quota);

const slidingWindow: Meter = {
  look(claim, counts, nowMs) {
    const { windowMs, quota, cost } = claim;
    const moments = live(claim, counts, nowMs);
    let used = 0;
    for (let i = 1; i < moments.length; i += 2) used += moments[i] as number;
    const over = used + cost - quota;
    let retryAfterMs = 0;
    for (let i = 0, freed = 0; freed < over && i < moments.length; i += 2) {
      freed += moments[i + 1] as number;
      retryAfterMs = (moments[i] as number) + windowMs - nowMs;
    }
    const last = moments.at(-2);
    return {
      hasRoom: over <= 0,
      remaining: Math.max(0, quota - used),
      retryAfterMs,
      resetAfterMs: last === undefined ? 0 : last + windowMs - nowMs,
    };
  },
  take(claim, counts, nowMs) {
    const moments = live(claim, counts, nowMs);
    const partMs = Math.ceil(claim.windowMs / slidingParts);
    const last = moments.at(-2);
    // Within a part the later moment stands for both: it is forgotten late, never early.
    if (last !== undefined && Math.floor(last / partMs) === Math.floor(nowMs / partMs)) {
      moments[moments.length - 2] = nowMs;
      moments[moments.length - 1] = (moments.at(-1) as number) + claim.cost;
    } else moments.push(nowMs, claim.cost);
    return { level: 0, at: nowMs, moments };
  },
};

/** The moments that still count; those that a clock set back left in the future count from now. */
function live({ windowMs }: Claim, counts: Counts | undefined, nowMs: number): number[] {
  const moments = counts?.moments ?? [];
  const kept: number[] = [];
  for (let i = 0; i < moments.length; i += 2) {
    const at = Math.min(moments[i] as number, nowMs);
    if (at + windowMs > nowMs) kept.push(at, moments[i + 1] as number);
  }
  return kept;
}

const fixedWindow: Meter = {
  look({ windowMs, quota, cost }, counts, nowMs) {
    const number = Math.floor(nowMs / windowMs);
    const used = counts === undefined || counts.at < number ? 0 : counts.level;
    const endsInMs = (number + 1) * windowMs - nowMs;
    const hasRoom = used + cost <= quota;
    return {
      hasRoom,
      remaining: Math.max(0, quota - used),
      retryAfterMs: hasRoom ? 0 : endsInMs,
      resetAfterMs: used === 0 ? 0 : endsInMs,
    };
  },
  take({ windowMs, cost }, counts, nowMs) {
    const number = Math.floor(nowMs / windowMs);
    const used = counts === undefined || counts.at < number ? 0 : counts.level;
    return { level: used + cost, at: number, moments: [] };
  },
};

export const meters: Readonly<Record<Algorithm, Meter>> = {
  gcra,
  sliding_window: slidingWindow,
  fixed_window: fixedWindow,
};
