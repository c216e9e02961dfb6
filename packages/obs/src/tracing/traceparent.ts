import type { RandomBytes } from '@svc/core';

/** Where a trace came from, as `traceparent` says. */
export interface TraceParent {
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  /** Whether the trace id is random to its end (Trace Context Level 2). */
  readonly random: boolean;
}

const form = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const zeros = /^0+$/;

/** W3C Trace Context Level 2, section 3.2. Anything else, as two headers that were joined, is `undefined`. */
export function readTraceparent(header: string | undefined): TraceParent | undefined {
  const found = form.exec(trimOws(header ?? ''));
  if (found === null) return undefined;
  const [, version, traceId, spanId, flags, rest] = found as unknown as string[];
  if (version === 'ff' || (version === '00' && rest !== undefined)) return undefined;
  if (traceId === undefined || spanId === undefined) return undefined;
  if (zeros.test(traceId) || zeros.test(spanId)) return undefined;
  const bits = Number.parseInt(flags as string, 16);
  return { traceId, spanId, sampled: (bits & 1) === 1, random: (bits & 2) === 2 };
}

/** As version 00, with the flags that are defined. */
export const toTraceparent = ({ traceId, spanId, sampled, random }: TraceParent): string =>
  `00-${traceId}-${spanId}-0${(sampled ? 1 : 0) + (random ? 2 : 0)}`;

const poolBytes = 4096;

/** Makes ids of traces (16 bytes) and spans (8 bytes). They are no secrets: randomness is fetched for many at once, where fetching is what costs. */
export function createTraceIds(randomBytes: RandomBytes): (bytes: 16 | 8) => string {
  let pool = Buffer.alloc(0);
  let at = 0;
  return function newId(bytes): string {
    if (at + bytes > pool.length) {
      pool = Buffer.from(randomBytes(poolBytes));
      at = 0;
    }
    const id = pool.toString('hex', at, (at += bytes));
    // All zeros mean that there is none.
    return zeros.test(id) ? newId(bytes) : id;
  };
}

/** Optional white space of HTTP, which is less than what `trim` takes away. */
export const trimOws = (text: string): string => text.replaceAll(/^[ \t]+|[ \t]+$/g, '');
