import { createHash } from 'node:crypto';
import { systemClock } from '@svc/core';
import { InvalidSignature } from '../failures.ts';
import { hmacSha256 } from '../signing/hmac.ts';
import { headerOf } from './headers.ts';
import {
  equal,
  freshTimestamp,
  type IncomingWebhook,
  type VerifyOptions,
  type WebhookVerifier,
} from './verify.ts';

const maxFields = 32;

/** Verifies as Stripe signs: `Stripe-Signature: t=<seconds>,v1=<hex>,…` over `t.body`. The id is a hash of what is signed. */
export function stripeVerifier(
  secrets: readonly string[],
  { toleranceSeconds = 300, clock = systemClock }: VerifyOptions = {},
): WebhookVerifier {
  assertSecrets(secrets);
  return ({ headers, body }) => {
    const header = required(headerOf(headers, 'stripe-signature'));
    const fields = header.split(',', maxFields + 1).map((field) => field.split('='));
    const times = fields.flatMap(([name, value]) =>
      name === 't' && value !== undefined ? [value] : [],
    );
    const [time] = times;
    if (time === undefined || times.length > 1 || fields.length > maxFields)
      throw new InvalidSignature('malformed');
    const timestamp = freshTimestamp(time, { toleranceSeconds, clock });
    const given = fields.flatMap(([name, value = '']) => (name === 'v1' ? fromHex(value) : []));
    const content = Buffer.concat([Buffer.from(`${timestamp}.`), bytesOf(body)]);
    if (!secrets.some((secret) => isAmong(hmacSha256(secret, content), given)))
      throw new InvalidSignature('mismatch');
    // A retry has a new timestamp and the same body, in which the event's id stands.
    return { id: idOf(body), sentAt: new Date(timestamp * 1000) };
  };
}

export interface BodySignatureOptions {
  /** Where the signature stands. @default 'X-Signature' */
  header?: string;
  /** What stands before it. @default '' */
  prefix?: string;
}

/**
 * Verifies a hexadecimal HMAC-SHA256 over the body alone. It says nothing about when it was sent: two messages with one
 * body are one, and a repeat is known only as long as an inbox keeps it.
 */
export function bodyVerifier(
  secrets: readonly string[],
  { header = 'X-Signature', prefix = '' }: BodySignatureOptions = {},
): WebhookVerifier {
  assertSecrets(secrets);
  const name = header.toLowerCase();
  return ({ headers, body }) => {
    const value = required(headerOf(headers, name));
    const given = value.startsWith(prefix) ? fromHex(value.slice(prefix.length)) : [];
    if (given.length === 0) throw new InvalidSignature('malformed');
    if (!secrets.some((secret) => isAmong(hmacSha256(secret, body), given)))
      throw new InvalidSignature('mismatch');
    return { id: idOf(body), sentAt: null };
  };
}

/** Verifies as GitHub signs: `X-Hub-Signature-256: sha256=<hex>` over the body. `X-GitHub-Delivery` is not signed, so it is not the id. */
export function githubVerifier(secrets: readonly string[]): WebhookVerifier {
  return bodyVerifier(secrets, { header: 'X-Hub-Signature-256', prefix: 'sha256=' });
}

function assertSecrets(secrets: readonly string[]): void {
  if (secrets.length === 0 || secrets.includes(''))
    throw new TypeError('there is no secret to verify with, or an empty one');
}

function required(header: string | undefined): string {
  if (header === undefined) throw new InvalidSignature('missing');
  return header;
}

function fromHex(text: string): Buffer[] {
  return /^[0-9a-f]{64}$/.test(text) ? [Buffer.from(text, 'hex')] : [];
}

const isAmong = (expected: Buffer, given: readonly Buffer[]) =>
  given.some((each) => equal(expected, each));

const bytesOf = (body: IncomingWebhook['body']) =>
  typeof body === 'string' ? Buffer.from(body) : body;

const idOf = (body: IncomingWebhook['body']) => createHash('sha256').update(body).digest('hex');
