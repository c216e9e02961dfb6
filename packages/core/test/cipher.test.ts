import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createCipher } from '../src/index.ts';

const key = (id: string) => ({ id, secret: `${id} is a secret of thirty-two or more characters` });

test('what was sealed opens with the same context, and never shows', () => {
  const cipher = createCipher({ keys: [key('k1')] });
  fc.assert(
    fc.property(fc.string({ minLength: 4, unit: 'binary' }), (text) => {
      const sealed = cipher.seal(text, 'totp:1');
      expect(cipher.open(sealed, 'totp:1')).toBe(text.toWellFormed());
      expect(sealed).not.toContain(text);
      expect(cipher.seal(text, 'totp:1')).not.toBe(sealed);
    }),
  );
});

test('it opens neither with another context, nor changed, nor with another key', () => {
  const cipher = createCipher({ keys: [key('k1')] });
  const sealed = cipher.seal('swordfish', 'totp:1');
  const last = sealed.at(-1) === 'A' ? 'B' : 'A';
  expect(() => cipher.open(sealed, 'totp:2')).toThrow();
  expect(() => cipher.open(`${sealed.slice(0, -2)}${last}${last}`, 'totp:1')).toThrow();
  expect(() => cipher.open('v1.k1.AAAA', 'totp:1')).toThrow();
  expect(() => cipher.open('swordfish', 'totp:1')).toThrow(/no form that is known/);
  const other = createCipher({ keys: [{ ...key('k1'), secret: 'x'.repeat(40) }] });
  expect(() => other.open(sealed, 'totp:1')).toThrow();
});

test('a new key seals, the former still opens', () => {
  const before = createCipher({ keys: [key('k1')] });
  const after = createCipher({ keys: [key('k2'), key('k1')] });
  const sealed = before.seal('swordfish', 'x');
  expect(after.open(sealed, 'x')).toBe('swordfish');
  expect([after.isOutdated(sealed), after.isOutdated(after.seal('a', 'x'))]).toEqual([true, false]);
  expect(() => before.open(after.seal('a', 'x'), 'x')).toThrow(/not among the keys/);
});

test('keys that are none are refused', () => {
  for (const keys of [
    [],
    [{ id: 'k1', secret: 'short' }],
    [{ ...key('k1'), id: 'a.b' }],
    [key('k1'), key('k1')],
  ])
    expect(() => createCipher({ keys })).toThrow(TypeError);
});
