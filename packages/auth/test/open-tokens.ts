import { type Cipher, createCipher, randomBytes } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { decodeProtectedHeader } from 'jose';
import { createServiceTokens, type ServiceTokensOptions } from '../src/tokens.ts';

export const audience = 'billing';

/** A cipher that remembers what it sealed. */
export function openCipher(): Cipher & { readonly sealed: string[] } {
  const secret = Buffer.from(randomBytes(32)).toString('hex');
  const cipher = createCipher({ keys: [{ id: 'k1', secret }] });
  const sealed: string[] = [];
  return {
    ...cipher,
    sealed,
    seal(plaintext, context) {
      sealed.push(plaintext);
      return cipher.seal(plaintext, context);
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
