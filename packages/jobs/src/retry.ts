import { type Duration, toMs } from '@svc/core';

/** How long to wait, in milliseconds, after this many failed attempts. `random` is from 0 up to 1. */
export type Backoff = (attempts: number, random: () => number) => number;

/** Anything from 0 to `first` doubled per attempt, at most `cap`: full jitter (Brooker, "Exponential Backoff And Jitter", 2015). */
export function exponential({
  first = '1s',
  cap = '1h',
}: {
  first?: Duration;
  cap?: Duration;
} = {}): Backoff {
  const [firstMs, capMs] = [toMs(first), toMs(cap)];
  return (attempts, random) =>
    random() * Math.min(capMs, firstMs * 2 ** Math.min(attempts - 1, 60));
}

/** `seconds` times the number of attempts, without jitter. */
export function linear(seconds: number): Backoff {
  return (attempts) => seconds * 1000 * attempts;
}

/** Thrown by a handler: this attempt failed, and the next is to start after so long, whatever the task's backoff. */
export class RetryAfter extends Error {
  readonly '~retryAfterMs': number;
  constructor(
    delay: Duration | number,
    message = 'to be tried again later',
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'RetryAfter';
    this['~retryAfterMs'] = typeof delay === 'number' ? delay : toMs(delay);
  }
}

/** Thrown by a handler: trying again cannot help, so the job is a dead letter at once. */
export class NonRetryable extends Error {
  readonly '~nonRetryable' = true as const;
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'NonRetryable';
  }
}

const longestDelayMs = 366 * 86_400_000;

/** The delay before the next attempt; `undefined` where there is to be none. Guarded by brand: an app may have two copies of this package. */
export function delayAfter(
  error: unknown,
  attempts: number,
  maxAttempts: number,
  backoff: Backoff,
  random: () => number,
): number | undefined {
  const brand = (name: string) =>
    typeof error === 'object' && error !== null && name in error
      ? (error as Record<string, unknown>)[name]
      : undefined;
  if (attempts >= maxAttempts || brand('~nonRetryable') === true) return undefined;
  const asked = brand('~retryAfterMs');
  const delay = typeof asked === 'number' ? asked : backoff(attempts, random);
  return Number.isFinite(delay) ? Math.min(longestDelayMs, Math.max(0, delay)) : longestDelayMs;
}

const longestMessage = 500;

/** What is kept of an error: its message, without its stack, cause or fields. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : 'not an Error was thrown';
  // No half of a surrogate pair, no NUL: neither can be stored.
  const cut =
    message.length > longestMessage ? `${message.slice(0, longestMessage - 1)}…` : message;
  return cut.toWellFormed().replaceAll('\0', '\uFFFD');
}
