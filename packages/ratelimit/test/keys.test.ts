import { testClock } from '@svc/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateLimit, defineLimit, type LimitKey, memoryStore } from '../src/index.ts';
import { hashKey, shortKey, writeKey } from '../src/key.ts';
import { toPolicy } from '../src/limit.ts';

const limit = defineLimit({ name: 'l', algorithm: 'gcra', quota: 1, window: '1h' });
const written = (key: LimitKey) => writeKey(toPolicy(limit), key);

test('keys that read alike when joined are different keys', async () => {
  const clock = testClock();
  const limits = createRateLimit({ store: memoryStore({ clock }), clock });
  const keys: LimitKey[] = [
    ['a', 'bc'],
    ['ab', 'c'],
    ['abc'],
    ['a:bc'],
    ['a', 'b', 'c'],
    ['1:a', '2:bc'],
    ['a 2:bc'],
    '1:a 2:bc',
    ['a\u0000bc'],
    ['a', '\u0000bc'],
    ['é'],
    ['e\u0301'],
  ];
  for (const key of keys) expect((await limits.check([{ limit, key }])).allowed).toBe(true);
  for (const key of keys) expect((await limits.check([{ limit, key }])).allowed).toBe(false);
});

test('two keys are one only if their parts are the same', () => {
  const part = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', ':', ' ', '1', '2', '\u0000', ','), minLength: 1 }),
    fc.string({ unit: 'binary', minLength: 1 }),
  );
  const parts = fc.array(part, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const same = a.length === b.length && a.every((each, i) => each === b[i]);
      expect(written(a) === written(b)).toBe(same);
    }),
    { numRuns: 2000 },
  );
});

test('limits of other names, windows and algorithms do not share a count', () => {
  const others = [
    limit,
    { ...limit, name: 'm' },
    { ...limit, window: '2h' as const },
    { ...limit, algorithm: 'fixed_window' as const },
  ].map((each) => writeKey(toPolicy(each), 'a'));
  expect(new Set(others).size).toBe(4);
  expect(writeKey(toPolicy({ ...limit, quota: 5 }), 'a')).toBe(written('a'));
});

test.each([[''], [[]], [['a', '']], [undefined], [null], [['a', undefined]], [[null]]])(
  'the key %j is refused: it would be one count for everybody',
  async (key) => {
    const limits = createRateLimit({ store: memoryStore() });
    const check = limits.check([{ limit, key: key as LimitKey }]);
    await expect(check).rejects.toThrow(TypeError);
  },
);

test('one count cannot be asked twice in a check', async () => {
  const limits = createRateLimit({ store: memoryStore() });
  const twice = limits.check([
    { limit, key: 'a' },
    { limit: { ...limit, quota: 9 }, key: ['a'] },
  ]);
  await expect(twice).rejects.toThrow('add the costs');
});

test.each([-1, 0.5, Number.NaN, Infinity])('a cost of %d is refused', async (cost) => {
  const limits = createRateLimit({ store: memoryStore() });
  await expect(limits.check([{ limit, key: 'a', cost }])).rejects.toThrow(TypeError);
});

test('a store sees neither whom it counts nor how long their name is', () => {
  const hashed = hashKey(written(['192.0.2.1', 'x'.repeat(10_000)]));
  expect(hashed).toMatch(/^[\w-]{43}$/);
  expect(shortKey(written('x'.repeat(10_000)))).toHaveLength(43);
});
