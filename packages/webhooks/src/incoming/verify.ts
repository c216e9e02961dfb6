import { timingSafeEqual, verify as verifyWithKey } from 'node:crypto';
import { type Clock, systemClock } from '@svc/core';
import { InvalidSignature } from '../failures.ts';
import { type Key, parseVerifyingKey } from '../signing/secret.ts';
import { isMessageId, signedContent } from '../signing/sign.ts';
import { headerOf, type HeadersLike } from './headers.ts';

/** A webhook as it came in. */
export interface IncomingWebhook {
  readonly headers: HeadersLike;
  /** The bytes as they came, never a body that was parsed and written again. */
  readonly body: string | Uint8Array;
}

/** A webhook whose signature is right. */
export interface VerifiedWebhook {
  /** What a repeat of it has too; part of what is signed. */
  readonly id: string;
  /** When it was sent; `null` where the sender's signature does not cover it. */
  readonly sentAt: Date | null;
}

/** Checks signatures of one sender. @throws {InvalidSignature} */
export type WebhookVerifier = (webhook: IncomingWebhook) => VerifiedWebhook;

export interface VerifyOptions {
  /** How many seconds the timestamp may be away from the clock, either way. @default 300 */
  toleranceSeconds?: number;
  /** @default systemClock */
  clock?: Clock;
}

// A sender has a few secrets at most; a header with thousands is there to make us work.
const maxSignatures = 32;
const maxHeaderLength = 4096;

/**
 * Verifies as Standard Webhooks 1.0 says: any signature of `v1` or `v1a` by any of the secrets (`whsec_`, `whpk_`).
 *
 * @throws {TypeError} on a secret of another form.
 */
export function createWebhookVerifier(
  secrets: readonly string[],
  { toleranceSeconds = 300, clock = systemClock }: VerifyOptions = {},
): WebhookVerifier {
  if (secrets.length === 0) throw new TypeError('there is no secret to verify with');
  const keys = secrets.map(parseVerifyingKey);
  return ({ headers, body }) => {
    const id = headerOf(headers, 'webhook-id');
    const time = headerOf(headers, 'webhook-timestamp');
    const list = headerOf(headers, 'webhook-signature');
    if (id === undefined || time === undefined || list === undefined)
      throw new InvalidSignature('missing');
    if (!isMessageId(id)) throw new InvalidSignature('malformed');
    const timestamp = freshTimestamp(time, { toleranceSeconds, clock });
    const signatures = signaturesOf(list);
    const content = signedContent({ id, timestamp, body });
    if (!keys.some((key) => isSignedBy(key, content, signatures)))
      throw new InvalidSignature('mismatch');
    return { id, sentAt: new Date(timestamp * 1000) };
  };
}

/** Verifies one request; prepare `createWebhookVerifier` where there are many. @throws {InvalidSignature} */
export function verifyWebhook(
  request: Request,
  secrets: readonly string[],
  options?: VerifyOptions,
): Promise<VerifiedWebhook>;
export function verifyWebhook(
  webhook: IncomingWebhook,
  secrets: readonly string[],
  options?: VerifyOptions,
): VerifiedWebhook;
export function verifyWebhook(
  from: Request | IncomingWebhook,
  secrets: readonly string[],
  options?: VerifyOptions,
): VerifiedWebhook | Promise<VerifiedWebhook> {
  const verify = createWebhookVerifier(secrets, options);
  if (!('arrayBuffer' in from)) return verify(from);
  return from
    .arrayBuffer()
    .then((body) => verify({ headers: from.headers, body: new Uint8Array(body) }));
}

/** Whole seconds and nothing else, near enough to the clock. @throws {InvalidSignature} */
export function freshTimestamp(
  text: string,
  { toleranceSeconds, clock }: Required<VerifyOptions>,
): number {
  if (!/^(0|[1-9]\d{0,11})$/.test(text)) throw new InvalidSignature('malformed');
  const timestamp = Number(text);
  const awaySeconds = Math.abs(Math.floor(clock.now().getTime() / 1000) - timestamp);
  if (awaySeconds > toleranceSeconds) throw new InvalidSignature('stale');
  return timestamp;
}

interface Signature {
  readonly scheme: string;
  readonly bytes: Buffer;
}

function signaturesOf(list: string): Signature[] {
  const parts = list.length > maxHeaderLength ? [] : list.split(' ');
  if (parts.length === 0 || parts.length > maxSignatures) throw new InvalidSignature('malformed');
  return parts.flatMap((part) => {
    const [, scheme, encoded] = /^(v1a?),([A-Za-z0-9+/]+={0,2})$/.exec(part) ?? [];
    // Schemes that are not known may stand beside those that are.
    if (scheme === undefined || encoded === undefined) return [];
    return [{ scheme, bytes: Buffer.from(encoded, 'base64') }];
  });
}

function isSignedBy(
  key: Key,
  content: string | Uint8Array,
  signatures: readonly Signature[],
): boolean {
  const candidates = signatures.filter(({ scheme }) => scheme === key.scheme);
  if (candidates.length === 0) return false;
  if (key.scheme === 'v1') {
    const expected = key.mac(content);
    return candidates.some(({ bytes }) => equal(expected, bytes));
  }
  const signed = typeof content === 'string' ? Buffer.from(content) : content;
  return candidates.some(
    ({ bytes }) => bytes.length === 64 && verifyWithKey(null, signed, key.key, bytes),
  );
}

/** In a time that does not depend on where they differ. */
export function equal(expected: Buffer, given: Uint8Array): boolean {
  return given.length === expected.length && timingSafeEqual(expected, given);
}
