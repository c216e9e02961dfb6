import fc from 'fast-check';
import { parseList, type Item } from 'structured-headers';
import { expect, test } from 'vitest';
import { ietfFields, legacyFields } from '../src/hono/header-fields.ts';
import type { LimitState } from '../src/index.ts';

const state: LimitState = {
  name: 'burst',
  quota: 100,
  windowMs: 60_000,
  remaining: 50,
  resetAfterMs: 30_001,
  retryAfterMs: 0,
  violated: false,
  shadow: false,
};

test('the fields are those of the draft', () => {
  const daily = { ...state, name: 'daily', quota: 1000, windowMs: 86_400_000 };
  expect(ietfFields([state, { ...daily, remaining: 999 }], false)).toEqual([
    ['RateLimit-Policy', '"burst";q=100;w=60, "daily";q=1000;w=86400'],
    ['RateLimit', '"burst";r=50;t=31, "daily";r=999;t=31'],
  ]);
});

test('of a refusal only those that refuse say when, so that nothing contradicts Retry-After', () => {
  const refusing = { ...state, name: 'r', violated: true, remaining: 0, retryAfterMs: 4200 };
  expect(ietfFields([state, refusing], true)[1]).toEqual([
    'RateLimit',
    '"burst";r=50, "r";r=0;t=5',
  ]);
});

test('a window that is not whole seconds is not told, and a shadow is not at all', () => {
  expect(ietfFields([{ ...state, windowMs: 250 }], false)[0]?.[1]).toBe('"burst";q=100');
  expect(ietfFields([{ ...state, shadow: true }], false)).toEqual([]);
  expect(legacyFields([{ ...state, shadow: true }], 0)).toEqual([]);
});

test('any decision makes fields that an independent parser of RFC 9651 reads back', () => {
  const states = fc.array(
    fc.record({
      name: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/),
      quota: fc.integer({ min: 1, max: 1_000_000_000 }),
      windowMs: fc.integer({ min: 1, max: 366 * 86_400_000 }),
      remaining: fc.integer({ min: 0, max: 1_000_000_000 }),
      resetAfterMs: fc.integer({ min: 0, max: 366 * 86_400_000 }),
      retryAfterMs: fc.integer({ min: 0, max: 366 * 86_400_000 }),
      violated: fc.boolean(),
      shadow: fc.constant(false),
    }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(states, fc.boolean(), (all, isRefused) => {
      const fields = new Map(ietfFields(all, isRefused));
      const policies = parseList(fields.get('RateLimit-Policy') as string) as Item[];
      const current = parseList(fields.get('RateLimit') as string) as Item[];
      expect(policies.map(([name]) => name)).toEqual(all.map(({ name }) => name));
      for (const [i, each] of all.entries()) {
        const policy = policies[i]?.[1];
        expect(policy?.get('q')).toBe(each.quota);
        expect(policy?.get('w')).toBe(
          each.windowMs % 1000 === 0 ? each.windowMs / 1000 : undefined,
        );
        expect(current[i]?.[0]).toBe(each.name);
        expect(current[i]?.[1].get('r')).toBe(each.remaining);
        const t = current[i]?.[1].get('t');
        if (each.violated) expect(t).toBe(Math.ceil(each.retryAfterMs / 1000));
        if (!each.violated && isRefused) expect(t).toBeUndefined();
      }
    }),
  );
});

test('the older headers tell of the limit that is nearest to its end', () => {
  const wide = { ...state, name: 'wide', quota: 1000, remaining: 400 };
  expect(legacyFields([state, wide], 1_000_500)).toEqual([
    ['X-RateLimit-Limit', '1000'],
    ['X-RateLimit-Remaining', '400'],
    ['X-RateLimit-Reset', '1031'],
  ]);
});
