import { expect, test } from 'vitest';
import { type Duration, toMs } from '../src/index.ts';

test.each([
  ['250ms', 250],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1.5h', 5_400_000],
  ['7d', 604_800_000],
  ['0s', 0],
] as const)('%s is %i ms', (text, ms) => {
  expect(toMs(text)).toBe(ms);
});

test.each(['', '5', 'm', '-5m', '5 m', '1e3s', 'NaNs', 'Infinityd'])(
  '%j is not a duration',
  (text) => {
    expect(() => toMs(text as Duration)).toThrow(TypeError);
  },
);
