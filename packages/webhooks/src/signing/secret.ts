import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';
import { randomBytes, type RandomBytes } from '@svc/core';
import { prepareHmacSha256 } from './hmac.ts';

/** How a secret signs: `v1` is HMAC-SHA256 with a shared secret, `v1a` is ed25519 with a key pair. */
export type SignatureScheme = 'v1' | 'v1a';

/** A secret in the forms of Standard Webhooks 1.0. */
export interface WebhookSecret {
  readonly scheme: SignatureScheme;
  /** What signs: `whsec_…`, or of a key pair `whsk_…`. */
  readonly secret: string;
  /** What the receiver verifies with: the same secret, or of a key pair `whpk_…`. */
  readonly verifier: string;
}

/** A key that signs or verifies, ready for use. */
export type Key =
  | { readonly scheme: 'v1'; readonly mac: (content: string | Uint8Array) => Buffer }
  | { readonly scheme: 'v1a'; readonly key: KeyObject };

const hmacBytes = 32;
const seedBytes = 32;

// The fixed DER in front of a raw ed25519 key (RFC 8410, section 7 and 4).
const privatePrefix = Buffer.from('302e020100300506032b657004220420', 'hex');
const publicPrefix = Buffer.from('302a300506032b6570032100', 'hex');

/** Makes a secret: 32 bytes, or an ed25519 key pair (RFC 8032). */
export function createWebhookSecret(
  scheme: SignatureScheme,
  random: RandomBytes = randomBytes,
): WebhookSecret {
  if (scheme === 'v1') {
    const secret = `whsec_${Buffer.from(random(hmacBytes)).toString('base64')}`;
    return { scheme, secret, verifier: secret };
  }
  const seed = random(seedBytes);
  const raw = createPublicKey(toPrivateKey(seed)).export({ format: 'der', type: 'spki' });
  return {
    scheme,
    secret: `whsk_${Buffer.concat([seed, raw.subarray(-seedBytes)]).toString('base64')}`,
    verifier: `whpk_${raw.subarray(-seedBytes).toString('base64')}`,
  };
}

/** Reads what signs. @throws {TypeError} when it is no `whsec_` or `whsk_` secret. */
export function parseSigningKey(secret: string): Key {
  if (secret.startsWith('whsec_')) return toHmacKey(secret);
  const bytes = secret.startsWith('whsk_') ? decode(secret.slice(5)) : undefined;
  // A seed, or a seed and the public key after it, as libraries of ed25519 write a secret key.
  if (bytes?.length !== seedBytes && bytes?.length !== 2 * seedBytes)
    throw new TypeError('a signing secret is whsec_ or whsk_ and base64');
  return { scheme: 'v1a', key: toPrivateKey(bytes.subarray(0, seedBytes)) };
}

/** Reads what verifies. @throws {TypeError} when it is no `whsec_` secret or `whpk_` public key. */
export function parseVerifyingKey(secret: string): Key {
  if (secret.startsWith('whsec_')) return toHmacKey(secret);
  const bytes = secret.startsWith('whpk_') ? decode(secret.slice(5)) : undefined;
  if (bytes?.length !== seedBytes)
    throw new TypeError('a verifying secret is whsec_ or whpk_ and base64');
  const der = Buffer.concat([publicPrefix, bytes]);
  return { scheme: 'v1a', key: createPublicKey({ key: der, format: 'der', type: 'spki' }) };
}

// Standard Webhooks 1.0 wants 24 to 64 bytes: one that is shorter can be guessed.
function toHmacKey(secret: string): Key {
  const bytes = decode(secret.slice('whsec_'.length));
  if (bytes === undefined || bytes.length < 24 || bytes.length > 64)
    throw new TypeError('a whsec_ secret is 24 to 64 bytes in base64');
  return { scheme: 'v1', mac: prepareHmacSha256(bytes) };
}

function toPrivateKey(seed: Uint8Array): KeyObject {
  const der = Buffer.concat([privatePrefix, seed]);
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
}

function decode(text: string): Uint8Array | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
