import type { Clock, Failure } from '@svc/core';
import { discardRest } from './discard-rest.ts';
import { BodyIncomplete, BodyTimeout, BodyTooLarge } from './limit-failures.ts';

export interface BodyLimits {
  /** The most bytes a body may have. */
  readonly maxBytes: number;
  /** How long the client may be waited for in all, in milliseconds. */
  readonly readTimeoutMs: number;
  /** How long it may send nothing, in milliseconds. */
  readonly idleTimeoutMs: number;
}

export interface LimitedBody {
  /** The body, which errors where it breaks a limit. Holds no more than one chunk. */
  readonly stream: ReadableStream<Uint8Array>;
  /** The limit it broke, as long as it has. */
  readonly refusal: Failure | undefined;
  /** Throws away what nobody has begun to read. */
  discardUnread(): void;
}

/** Counts a body's bytes and the time spent waiting for them as they stream through, and stops at the limit. */
export function limitBody(
  body: ReadableStream<Uint8Array>,
  { maxBytes, readTimeoutMs, idleTimeoutMs }: BodyLimits,
  clock: Clock,
): LimitedBody {
  const reader = body.getReader();
  let bytes = 0;
  let waitedMs = 0;
  let begun = false;
  let refusal: Failure | undefined;

  const refuse = (failure: Failure, controller: ReadableStreamDefaultController) => {
    refusal = failure;
    controller.error(failure);
    void discardRest(reader, clock);
  };

  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        begun = true;
        const startedAtMs = clock.elapsedMs();
        // The total is what a client that trickles runs into.
        const leftMs = Math.min(idleTimeoutMs, readTimeoutMs - waitedMs);
        const part = await readWithin(reader, leftMs, clock);
        waitedMs += clock.elapsedMs() - startedAtMs;
        if (part === 'late') return refuse(new BodyTimeout(), controller);
        if (part === 'cut') return refuse(new BodyIncomplete(), controller);
        if (part.done) return controller.close();
        bytes += part.value.byteLength;
        if (bytes > maxBytes) return refuse(tooLarge(maxBytes), controller);
        controller.enqueue(part.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    // Nothing is read ahead of who reads: a handler that refuses early has not begun the body.
    { highWaterMark: 0 },
  );

  return {
    stream,
    get refusal() {
      return refusal;
    },
    discardUnread() {
      if (!begun) void discardRest(reader, clock);
    },
  };
}

/** The refusal of a body over the limit, which it names. */
export const tooLarge = (maxBytes: number) =>
  new BodyTooLarge({ detail: `At most ${maxBytes} bytes are accepted.` });

async function readWithin(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  limitMs: number,
  clock: Clock,
) {
  const finished = new AbortController();
  const late = clock.sleep(limitMs, finished.signal).then(
    () => 'late' as const,
    // Aborted below, when the read has won.
    () => 'late' as const,
  );
  const read = reader.read().catch(() => 'cut' as const);
  const part = await Promise.race([read, late]);
  finished.abort('read');
  return part;
}
