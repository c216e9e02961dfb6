import { systemClock } from '@svc/core';
import { expect, test } from 'vitest';
import { maxReadBytes, redact } from '../src/redact.ts';

const kept = (text: string, secrets: string[] = []) => redact(Buffer.from(text), secrets);

test.each([
  ['{"access_token":"abc123def"}', 'abc123def'],
  ['{"password": "a\\"quoted"}', 'quoted'],
  ['api_key=12345&x=1', '12345'],
  ['Set-Cookie: sid=abcdef', 'abcdef'],
  ['Authorization: Bearer abcdefgh', 'abcdefgh'],
  ['we got whsec_abcdefghijklmnop', 'abcdefghijklmnop'],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', 'eyJzdWIiOiIxIn0'],
])('of %s the credential is not kept', (text, secret) => {
  expect(kept(text)).not.toContain(secret);
});

test('what was sent is not kept, as it is or in JSON', () => {
  const secret = 'quote"and\\slash';
  const text = kept(`raw ${secret} json ${JSON.stringify({ value: secret })}`, [secret]);
  expect(text).toBe('raw [redacted] json {"value":"[redacted]"}');
});

test('of a secret that is cut off at the end nothing is left', () => {
  const secret = 's'.repeat(4096);
  const text = kept(`${'a '.repeat((maxReadBytes - 100) / 2)}${secret}`.slice(0, maxReadBytes), [
    secret,
  ]);
  expect(text).not.toContain('ss');
});

test.each([
  'x',
  'token',
  'token:',
  'token:"',
  'token ',
  '"token',
  'secret\\',
  'eyJ',
  '-eyJ',
  'bearer ',
  'é',
  'pk_',
  '-',
])('an answer of nothing but %j is redacted at once', (unit) => {
  const hostile = unit.repeat(maxReadBytes).slice(0, maxReadBytes);
  const startedAt = systemClock.elapsedMs();
  expect(Buffer.byteLength(kept(hostile))).toBeLessThanOrEqual(16 * 1024);
  // Milliseconds of work; an expression that goes back and forth takes minutes.
  expect(systemClock.elapsedMs() - startedAt).toBeLessThan(1000);
});
