const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** The waits before each try after the first (Standard Webhooks 1.0): 10 tries over 75 hours and 35 minutes. */
export const retryScheduleMs: readonly number[] = [
  5 * second,
  5 * minute,
  30 * minute,
  2 * hour,
  5 * hour,
  10 * hour,
  14 * hour,
  20 * hour,
  24 * hour,
];

/** No receiver keeps a message longer by asking. */
const longestRetryAfterMs = 24 * hour;

export interface RetryInput {
  /** How many tries of the schedule have failed; 1 after the first. */
  readonly failures: number;
  /** From 0 up to 1. */
  readonly random: number;
  /** What the receiver asked for. */
  readonly retryAfterMs?: number | undefined;
}

/** How long to wait before the next try, `undefined` after the last: up to a fifth more or less than the schedule, never less than asked for, which counts up to 24 hours. */
export function nextRetryMs(
  schedule: readonly number[],
  { failures, random, retryAfterMs = 0 }: RetryInput,
): number | undefined {
  const base = schedule[failures - 1];
  if (base === undefined) return undefined;
  const jittered = base * (0.8 + 0.4 * random);
  return Math.round(Math.max(jittered, Math.min(retryAfterMs, longestRetryAfterMs)));
}

/** The milliseconds of a Retry-After (RFC 9110, 10.2.3): whole seconds or a date; `undefined` for anything else. */
export function parseRetryAfter(value: string | null, now: Date): number | undefined {
  if (value === null) return undefined;
  const text = value.trim();
  if (/^\d{1,10}$/.test(text)) return Number(text) * second;
  // Only the date of HTTP: Date.parse takes much more.
  if (!/^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(text))
    return undefined;
  const at = Date.parse(text);
  return Number.isNaN(at) ? undefined : Math.max(0, at - now.getTime());
}
