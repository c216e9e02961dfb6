/** An answer as it is kept, and given again byte by byte. */
export interface StoredAnswer {
  readonly status: number;
  /** Name and value, in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** Why an answer is not kept although the request was executed. */
export type Withheld = 'sensitive' | 'streamed' | 'too_large' | 'late';

/** What an execution gives. */
export interface ExecutedAnswer extends StoredAnswer {
  /** Notes that it was executed and keeps nothing of the answer: a repeat is refused. @default it is kept */
  readonly withhold?: Withheld;
}

/** Which answers are kept: those of 2xx, or all that are no fault of the service. */
export type Keep = 'success' | 'all_but_5xx';

// They say "later": kept, they would say it for as long as the key lives (RFC 9110, 15.5.9; RFC 8470; RFC 6585).
const passing: ReadonlySet<number> = new Set([408, 425, 429]);

export function isKept(keep: Keep, status: number): boolean {
  if (keep === 'success') return status >= 200 && status < 300;
  return status >= 200 && status < 500 && !passing.has(status);
}
