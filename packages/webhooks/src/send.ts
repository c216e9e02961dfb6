import { isFailure } from '@svc/core';
import type { WebhooksContext } from './context.ts';
import { maxReadBytes, redact } from './redact.ts';
import { parseRetryAfter } from './schedule.ts';

export interface Outgoing {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What must not be found in the log. */
  readonly secrets: readonly string[];
}

/** What came of one try. */
export interface Answer {
  /** Null when no answer came. */
  readonly status: number | null;
  /** Why not: a code. */
  readonly error: string | null;
  readonly response: string | null;
  readonly retryAfterMs: number | undefined;
  readonly durationMs: number;
}

type SendContext = Pick<WebhooksContext, 'fetch' | 'clock' | 'timeoutMs'>;

class Timeout extends Error {}

/** Posts it once. Never follows a redirect, and never throws but with the reason of `stop`. */
export async function send(
  { fetch, clock, timeoutMs }: SendContext,
  { url, headers, body, secrets }: Outgoing,
  stop?: AbortSignal,
): Promise<Answer> {
  const startedAt = clock.elapsedMs();
  const cancel = new AbortController();
  const finished = new AbortController();
  // Of a `fetch` that does not listen to its signal nobody waits for longer either.
  const cancelled = new Promise<never>((_, reject) => {
    cancel.signal.addEventListener('abort', () => reject(cancel.signal.reason), { once: true });
  });
  cancelled.catch(() => {});
  const onStop = () => cancel.abort(stop?.reason);
  stop?.addEventListener('abort', onStop, { once: true });
  clock.sleep(timeoutMs, finished.signal).then(
    () => cancel.abort(new Timeout()),
    () => {},
  );
  let answer: Omit<Answer, 'durationMs'>;
  try {
    stop?.throwIfAborted();
    const init = {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: cancel.signal,
    } as const;
    const response = await Promise.race([fetch(url, init), cancelled]);
    const bytes = await readBeginning(response, cancelled);
    answer = {
      status: response.status,
      error: null,
      response: redact(bytes, secrets),
      retryAfterMs: parseRetryAfter(response.headers.get('retry-after'), clock.now()),
    };
  } catch (error) {
    stop?.throwIfAborted();
    answer = { status: null, error: codeOf(error), response: null, retryAfterMs: undefined };
  } finally {
    stop?.removeEventListener('abort', onStop);
    finished.abort();
    cancel.abort(new Timeout());
  }
  return { ...answer, durationMs: Math.round(clock.elapsedMs() - startedAt) };
}

/** The status is known, and what goes wrong now changes nothing about it: the rest of the body is given up. */
async function readBeginning(response: Response, cancelled: Promise<never>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
  if (reader === undefined) return new Uint8Array();
  try {
    for (let size = 0; size < maxReadBytes;) {
      const { done, value } = await Promise.race([reader.read(), cancelled]);
      if (done) break;
      chunks.push(value);
      size += value.length;
    }
  } catch {
    // What was read is kept.
  }
  reader.cancel().catch(() => {});
  return Buffer.concat(chunks).subarray(0, maxReadBytes);
}

/** A word for the log; a message could hold an address or more. */
function codeOf(error: unknown): string {
  if (error instanceof Timeout) return 'timeout';
  if (isFailure(error)) return error.code;
  const { code, cause } = (error ?? {}) as { code?: unknown; cause?: { code?: unknown } };
  for (const each of [cause?.code, code])
    if (typeof each === 'string' && /^[A-Za-z0-9_.]{1,60}$/.test(each)) return each;
  return 'network_error';
}
