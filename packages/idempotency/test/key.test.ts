import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalJson } from '@svc/core';
import { fingerprintOf, KeyInvalid, parseIdempotencyKey } from '../src/index.ts';
import { identify } from '../src/key.ts';

const visible = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
  minLength: 1,
  maxLength: 255,
});
const quote = (key: string) => `"${key.replaceAll(/["\\]/g, '\\$&')}"`;

describe('a key', () => {
  test('is the same quoted and bare, whatever visible characters it has', () => {
    fc.assert(
      fc.property(visible, fc.constantFrom('', ' ', '\t '), (key, space) => {
        expect(parseIdempotencyKey(space + quote(key) + space)).toBe(key);
        if (!key.startsWith('"')) expect(parseIdempotencyKey(space + key + space)).toBe(key);
      }),
    );
  });

  test('of anything else is refused, or is one that the rule allows', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (header) => {
        try {
          expect(parseIdempotencyKey(header)).toMatch(/^[\x21-\x7e]{1,255}$/);
        } catch (error) {
          expect(error).toBeInstanceOf(KeyInvalid);
        }
      }),
    );
  });

  test.each([
    '',
    '""',
    '"',
    'a b',
    '"a b"',
    'é',
    '"a"b',
    '"a", "b"',
    'a, b',
    '"a\\b"',
    '"a";p=1',
    'a'.repeat(256),
    `"${'a'.repeat(256)}"`,
    'a\u0000',
  ])('%j is refused', (header) => {
    expect(() => parseIdempotencyKey(header)).toThrow(KeyInvalid);
  });

  test('may have 255 characters, not counting quotes and escapes', () => {
    expect(parseIdempotencyKey('a'.repeat(255))).toHaveLength(255);
    expect(parseIdempotencyKey(quote('"'.repeat(255)))).toHaveLength(255);
  });

  test('of different scopes is never one, however their parts run together', () => {
    const scope = fc.tuple(visible, visible, visible, visible);
    fc.assert(
      fc.property(scope, scope, (one, other) => {
        const id = ([caller, method, route, key]: typeof one) =>
          identify({ caller, method, route }, key);
        expect(id(one) === id(other)).toBe(one.join('\0') === other.join('\0'));
      }),
    );
    expect(identify({ caller: 'a', method: 'POST', route: '/x 1:y' }, 'k')).not.toBe(
      identify({ caller: 'a', method: 'POST', route: '/x' }, '1:y k'),
    );
    expect(() => identify({ caller: '', method: 'POST', route: '/' }, 'k')).toThrow(TypeError);
  });
});

const bytes = (text: string) => new TextEncoder().encode(text);
const contentType = 'application/json';
const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, each]) => [name, shuffled(each)]),
  );
};

describe('a fingerprint', () => {
  test('by meaning is the same for every way to write a JSON value, and only for them', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.jsonValue({ maxDepth: 8 }), (one, other) => {
        const of = (value: unknown, indent = 0) =>
          fingerprintOf('json', { body: bytes(JSON.stringify(value, null, indent)), contentType });
        expect(of(one)).toBe(of(shuffled(one), 2));
        const same = canonicalJson(one) === canonicalJson(other);
        expect(of(one) === of(other)).toBe(same);
        // What is written is the value, not something near it.
        expect(JSON.parse(canonicalJson(one))).toEqual(JSON.parse(JSON.stringify(one)));
      }),
    );
  });

  test('by bytes differs with each byte, and so does any with the query', () => {
    const of = (by: 'bytes' | 'json', body: string, query?: string) =>
      fingerprintOf(by, {
        body: bytes(body),
        contentType,
        ...(query === undefined ? {} : { query }),
      });
    expect(of('bytes', '{"a":1}')).not.toBe(of('bytes', '{"a": 1}'));
    expect(of('json', '{"a":1}')).toBe(of('json', '{"a": 1.0}'));
    for (const by of ['bytes', 'json'] as const)
      expect(of(by, '1', '?a')).not.toBe(of(by, '1', '?b'));
    expect(of('bytes', '1')).not.toBe(of('json', '1'));
  });

  test('by meaning falls back to bytes for what is no JSON, and for what is nested too deeply', () => {
    const of = (body: string, type = contentType) =>
      fingerprintOf('json', { body: bytes(body), contentType: type });
    expect(of('{"a":')).not.toBe(of('{"a": '));
    expect(of('{"a":1}', 'text/plain')).not.toBe(of('{"a": 1}', 'text/plain'));
    expect(of('{"a":1}', 'application/vnd.x+json; charset=utf-8')).toBe(of('{"a":1}'));
    const deep = '['.repeat(200_000) + ']'.repeat(200_000);
    expect(of(deep)).not.toBe(of(`${deep} `));
    expect(of('{"__proto__":1}')).not.toBe(of('{}'));
  });
});
