import { createCipheriv, createDecipheriv } from 'node:crypto';
import { randomBytes } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { decodeProtectedHeader } from 'jose';
import {
  type Cipher,
  createServiceTokens,
  type ServiceTokensOptions,
} from '../src/tokens/index.ts';

export const audience = 'billing';

/** AES-256-GCM, as an app's cipher does it. */
export function openCipher(): Cipher & { readonly sealed: string[] } {
  const key = randomBytes(32);
  const sealed: string[] = [];
  return {
    sealed,
    seal(plaintext, context) {
      const iv = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(context));
      const bytes = [cipher.update(plaintext, 'utf8'), cipher.final()];
      sealed.push(plaintext);
      return Buffer.concat([iv, ...bytes, cipher.getAuthTag()]).toString('base64url');
    },
    open(text, context) {
      const bytes = Buffer.from(text, 'base64url');
      const cipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
        .setAAD(Buffer.from(context))
        .setAuthTag(bytes.subarray(-16));
      return Buffer.concat([cipher.update(bytes.subarray(12, -16)), cipher.final()]).toString();
    },
  };
}

let issuers = 0;
/** The tokens of an issuer of the test's own; `another()` is the same issuer in another process. */
export function openTokens(db: Db, options: Partial<ServiceTokensOptions> = {}) {
  const clock = testClock();
  const logger = recordingLogger();
  const cipher = openCipher();
  const issuer = `https://service${++issuers}.example.com`;
  const another = () => createServiceTokens({ db, issuer, cipher, clock, logger, ...options });
  const kids = async (tokens = another()) => (await tokens.jwks()).keys.map((key) => key.kid);
  return { clock, logger, cipher, issuer, tokens: another(), another, kids };
}

/** The key that a token names. */
export const kidOf = (token: string) => decodeProtectedHeader(token).kid as string;
