import { sha256 } from '@svc/core';
import { KeyInvalid } from './failures.ts';

/** Within what a key is unique. */
export interface KeyScope {
  /** Who sends it, such as tenant and user; never empty, or all would share their keys. */
  readonly caller: string;
  readonly method: string;
  /** The address: the path. */
  readonly route: string;
}

const visible = /^[\x21-\x7e]{1,255}$/;

/**
 * The key that the header `Idempotency-Key` names: an RFC 8941 string (section 3.3.3) without parameters, as the IETF
 * draft has it, or the bare text that most clients send. `"abc"` and `abc` are one key.
 *
 * @throws {KeyInvalid}
 */
export function parseIdempotencyKey(header: string): string {
  const value = header.replaceAll(/^[ \t]+|[ \t]+$/g, '');
  if (!value.startsWith('"')) return assertKey(value);
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(value)?.[1];
  if (quoted === undefined) throw new KeyInvalid();
  return assertKey(quoted.replaceAll(/\\(["\\])/g, '$1'));
}

/** @throws {KeyInvalid} unless it has 1 to 255 visible ASCII characters. */
export function assertKey(key: string): string {
  if (!visible.test(key)) throw new KeyInvalid();
  return key;
}

/** What a store sees of a scope and a key: a hash over all parts with their lengths, so that no two run into each other. */
export function identify({ caller, method, route }: KeyScope, key: string): string {
  if (caller === '') throw new TypeError('the caller is empty: everybody would share one key');
  const parts = [caller, method, route, key].map((part) => `${part.length}:${part}`);
  return Buffer.from(sha256(parts.join(' '))).toString('base64url');
}
