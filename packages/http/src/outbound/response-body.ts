import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip } from 'node:zlib';
import { UpstreamTooLarge, UpstreamUnreachable } from './failures.ts';

export interface BodyLimit {
  readonly maxBytes: number;
  /** Whether what is over the limit is left out instead of refused. */
  readonly cut: boolean;
}

/** What is unpacked, and therefore asked for. */
export const acceptedEncodings = 'gzip, br';

const empty = new Uint8Array();

/** Reads a body to its end or its limit, which counts what it unpacks to: a bomb ends there, too. */
export async function readBody(
  response: IncomingMessage,
  method: string,
  limit: BodyLimit,
): Promise<{ body: Uint8Array; unpacked: boolean }> {
  const encoding = (response.headers['content-encoding'] ?? '').trim().toLowerCase();
  const packed = encoding === 'gzip' || encoding === 'x-gzip' || encoding === 'br';
  const hasNone = method === 'HEAD' || response.statusCode === 204 || response.statusCode === 304;
  if (hasNone) {
    response.resume();
    return { body: empty, unpacked: false };
  }
  if (!limit.cut && !packed && Number(response.headers['content-length']) > limit.maxBytes)
    throw new UpstreamTooLarge();
  const body = await collect(packed ? unpack(response, encoding) : response, limit, () =>
    response.destroy(),
  );
  return { body, unpacked: packed };
}

function unpack(response: IncomingMessage, encoding: string): Readable {
  const unpacked = encoding === 'br' ? createBrotliDecompress() : createGunzip();
  // Its errors come out of the stream at the end.
  pipeline(response, unpacked, () => {});
  return unpacked;
}

function collect(
  source: Readable,
  { maxBytes, cut }: BodyLimit,
  stop: () => void,
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunks: Uint8Array[] = [];
    let size = 0;
    source.on('data', (chunk: Uint8Array) => {
      const left = maxBytes - size;
      size += chunk.length;
      if (chunk.length <= left) return void chunks.push(chunk);
      source.removeAllListeners('data').destroy();
      stop();
      if (!cut) return reject(new UpstreamTooLarge());
      chunks.push(chunk.subarray(0, left));
      resolve(joined(chunks));
    });
    source.once('end', () => resolve(joined(chunks)));
    source.on('error', (cause) => reject(new UpstreamUnreachable({}, { cause })));
    source.once('close', () => reject(new UpstreamUnreachable()));
  });
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const [first = empty] = chunks;
  return chunks.length < 2 ? first : Buffer.concat(chunks);
}
