import { createHash } from 'node:crypto';
import { canonicalJson } from '@svc/core';

/** How deep the values of a body may be nested. */
const maxDepth = 64;

/** What makes two requests the same: every byte, or for JSON what the bytes mean. */
export type FingerprintBy = 'bytes' | 'json';

/** What is compared of a request beside its address. */
export interface Content {
  readonly body: Uint8Array;
  /** The query as it was sent. @default '' */
  readonly query?: string;
  /** @default none, and then the body is compared by its bytes */
  readonly contentType?: string | undefined;
}

/** A hash of what a request says. By meaning, two numbers are the same when `JSON.parse` gives one value for both. */
export function fingerprintOf(
  by: FingerprintBy,
  { body, query = '', contentType }: Content,
): string {
  const canonical = by === 'json' ? canonicalBody(body, contentType) : undefined;
  const kind = canonical === undefined ? 'bytes' : 'json';
  return createHash('sha256')
    .update(`${kind} ${query.length}:${query} `)
    .update(canonical ?? body)
    .digest('base64url');
}

function canonicalBody(body: Uint8Array, contentType = ''): string | undefined {
  if (!/^\s*application\/([\w.-]+\+)?json\s*(;|$)/i.test(contentType)) return undefined;
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    return canonicalJson(value, { maxDepth });
  } catch {
    // What is no JSON, or nested too deeply to be worth walking through, has no meaning to compare.
    return undefined;
  }
}
