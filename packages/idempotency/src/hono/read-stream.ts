import type { Clock } from '@svc/core';

/** What was read of a body: all of it, or why not and the whole of it again, as a stream. */
export type ReadStream =
  | { readonly bytes: Uint8Array }
  | { readonly reason: 'too_large' | 'streamed'; readonly rest: ReadableStream<Uint8Array> };

export interface ReadStreamLimits {
  readonly maxBytes: number;
  /** How long the whole may take; what takes longer is a stream that somebody watches. */
  readonly maxMs: number;
}

/** Reads a body to its end, unless it is too large or takes too long: then nothing of it is lost. */
export async function readStream(
  body: ReadableStream<Uint8Array>,
  { maxBytes, maxMs }: ReadStreamLimits,
  clock: Clock,
): Promise<ReadStream> {
  const reader = body.getReader();
  const parts: Uint8Array[] = [];
  const finished = new AbortController();
  const late = clock.sleep(maxMs, finished.signal).then(
    () => 'late' as const,
    // Aborted below.
    () => 'late' as const,
  );
  try {
    for (let size = 0; ;) {
      const reading = reader.read();
      const part = await Promise.race([reading, late]);
      if (part === 'late') return { reason: 'streamed', rest: rejoin(parts, reader, reading) };
      if (part.done) return { bytes: parts.length === 1 ? (parts[0] as Uint8Array) : join(parts) };
      size += part.value.byteLength;
      parts.push(part.value);
      if (size > maxBytes) return { reason: 'too_large', rest: rejoin(parts, reader) };
    }
  } finally {
    finished.abort('read');
  }
}

const join = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

function rejoin(
  parts: Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
  reading?: ReturnType<typeof reader.read>,
): ReadableStream<Uint8Array> {
  let begun = reading;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = parts.shift();
        if (next !== undefined) return controller.enqueue(next);
        const part = await (begun ?? reader.read());
        begun = undefined;
        if (part.done) controller.close();
        else controller.enqueue(part.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}
