import { expect, test } from 'vitest';
import { constantTimeEqual, randomToken, sha256 } from '../src/index.ts';

test('a token has 256 bits unless told, and is safe in a URL', () => {
  expect(Buffer.from(randomToken(), 'base64url')).toHaveLength(32);
  expect(randomToken(16)).toMatch(/^[A-Za-z0-9_-]{22}$/);
  expect(randomToken()).not.toBe(randomToken());
});

test('secrets of any length compare as equal only when they are', () => {
  expect(constantTimeEqual('a', 'a')).toBe(true);
  expect(constantTimeEqual('a', new Uint8Array([97]))).toBe(true);
  for (const [a, b] of [
    ['a', 'b'],
    ['a', 'aa'],
    ['', 'a'],
  ] as const)
    expect(constantTimeEqual(a, b)).toBe(false);
});

test('sha256 is the SHA-256 of the UTF-8 bytes (FIPS 180-4 example)', () => {
  expect(Buffer.from(sha256('abc')).toString('hex')).toBe(
    'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
  );
});
