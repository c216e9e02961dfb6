import { type Clock, isFailure } from '@svc/core';
import type { Context } from 'hono';
import type { ExecutedAnswer, StoredAnswer, Withheld } from '../answer.ts';
import { readStream } from './read-stream.ts';

export interface TakeAnswerOptions {
  readonly keeps: (status: number) => boolean;
  readonly maxBodyBytes: number;
  /** Names of headers that are kept, in lower case. */
  readonly headers: ReadonlySet<string>;
  readonly isSensitive: (c: Context) => boolean;
  readonly clock: Clock;
  /** Whether what was written is rolled back with an answer of 400 and above. */
  readonly isJoined: boolean;
}

const sensitiveKey = 'idempotencySensitive';
const none = new Uint8Array(0);
/** What takes longer to produce is passed on as it comes. */
const maxReadMs = 250;

/** Says that the answer holds a secret, such as a new API key: nothing of it is stored, and a repeat is refused. */
export function markSensitive(c: Context): void {
  c.set(sensitiveKey, true);
}

/** Takes down what the handler answered, as far as it is kept; the answer itself stays whole. */
export async function takeAnswer(
  c: Context,
  { keeps, maxBodyBytes, headers, isSensitive, clock, isJoined }: TakeAnswerOptions,
): Promise<ExecutedAnswer> {
  // The client was told that it took too long, and that stands in the place of what the handler answered at last.
  // What it wrote goes with the transaction; where there is none it was done, and must not be done again.
  if (isFailure(c.error) && c.error.code === 'http.handler_timeout')
    return withheld(isJoined ? 504 : 200, 'late');
  const { status } = c.res;
  if (!keeps(status)) return { status, headers: [], body: none };
  if (c.get(sensitiveKey) === true || isSensitive(c)) return withheld(status, 'sensitive');
  const kept = [...c.res.headers].filter(([name]) => headers.has(name));
  if (c.res.body === null) return { status, headers: kept, body: none };
  if (/^\s*text\/event-stream/i.test(c.res.headers.get('content-type') ?? ''))
    return withheld(status, 'streamed');
  const read = await readStream(
    c.res.body as ReadableStream<Uint8Array>,
    { maxBytes: maxBodyBytes, maxMs: maxReadMs },
    clock,
  );
  replaceBody(c, 'bytes' in read ? read.bytes : read.rest);
  return 'bytes' in read
    ? { status, headers: kept, body: read.bytes }
    : withheld(status, read.reason);
}

/** The answer of the first execution, once more. */
export function replay(c: Context, { status, headers, body }: StoredAnswer): Response {
  const answer = new Headers(headers.map(([name, value]) => [name, value] as [string, string]));
  answer.set('Idempotency-Replayed', 'true');
  // Of the context, so that headers which were set before us stay.
  return c.newResponse(body.byteLength === 0 ? null : (body as Uint8Array<ArrayBuffer>), {
    status: status as 200,
    headers: answer,
  });
}

/** Forgets what the handler answered: nothing of it (a cookie, a location) gets into the refusal that takes its place. */
export function dropAnswer(c: Context): void {
  c.res = undefined;
  c.res = new Response(null);
}

const withheld = (status: number, withhold: Withheld): ExecutedAnswer => ({
  status,
  headers: [],
  body: none,
  withhold,
});

function replaceBody(c: Context, body: Uint8Array | ReadableStream<Uint8Array>): void {
  const { status, statusText, headers } = c.res;
  const whole = new Response(body as Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>, {
    status,
    statusText,
    headers: new Headers(headers),
  });
  // Else Hono would merge the headers of the two, and a cookie come twice.
  c.res = undefined;
  c.res = whole;
}
