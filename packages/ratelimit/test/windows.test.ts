import { testClock } from '@svc/core/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Algorithm, createRateLimit, type Limit, memoryStore } from '../src/index.ts';
import { meters } from '../src/meters.ts';
import type { Claim } from '../src/store.ts';

const algorithms = ['gcra', 'sliding_window', 'fixed_window'] as const;

/** Gaps in milliseconds and costs: bursts, trickles, and long silences. */
const trace = fc.array(
  fc.record({
    gapMs: fc.oneof(
      { weight: 5, arbitrary: fc.constant(0) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 40 }) },
      { weight: 4, arbitrary: fc.integer({ min: 0, max: 5 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 1500 }) },
    ),
    cost: fc.integer({ min: 0, max: 4 }),
    /** Comes back at the very moment that it is told: the hardest time for a limit. */
    isPunctual: fc.boolean(),
  }),
  { minLength: 1, maxLength: 120 },
);
const sizes = fc.record({
  quota: fc.integer({ min: 4, max: 40 }),
  windowMs: fc.integer({ min: 1, max: 1200 }),
  burst: fc.integer({ min: 4, max: 60 }),
});

function limitOf(algorithm: Algorithm, size: { quota: number; windowMs: number; burst: number }) {
  const { quota, windowMs, burst } = size;
  const limit: Limit = { name: 'l', algorithm, quota, window: `${windowMs}ms` };
  return algorithm === 'gcra' ? { ...limit, burst } : limit;
}

/** The most that may pass between the two moments, both included. */
function promised(limit: Limit, windowMs: number, fromMs: number, toMs: number): number {
  const spanMs = toMs - fromMs;
  const { algorithm, quota, burst = quota } = limit;
  if (algorithm === 'gcra') return burst + (quota * spanMs) / windowMs;
  if (algorithm === 'sliding_window') return quota * (Math.floor(spanMs / windowMs) + 1);
  return quota * (Math.floor(toMs / windowMs) - Math.floor(fromMs / windowMs) + 1);
}

describe.each(algorithms)('%s', (algorithm) => {
  test('lets no more through than it promises, in any window of any trace', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, trace, async (size, arrivals) => {
        const clock = testClock('2026-01-01T00:00:00.123Z');
        const limits = createRateLimit({ store: memoryStore({ clock }), clock });
        const limit = limitOf(algorithm, size);
        const passed: { at: number; cost: number }[] = [];
        const ask = async (cost: number) => {
          const { allowed, retryAfterMs } = await limits.check([{ limit, key: 'k', cost }]);
          if (allowed) passed.push({ at: clock.now().getTime(), cost });
          return retryAfterMs;
        };
        for (const { gapMs, cost, isPunctual } of arrivals) {
          if (gapMs > 0) await clock.advance(`${gapMs}ms`);
          const retryAfterMs = await ask(cost);
          if (retryAfterMs === null || !isPunctual) continue;
          await clock.advance(`${retryAfterMs}ms`);
          await ask(cost);
        }
        for (const [i, first] of passed.entries()) {
          let sum = 0;
          for (const last of passed.slice(i)) {
            sum += last.cost;
            expect(sum).toBeLessThanOrEqual(promised(limit, size.windowMs, first.at, last.at));
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('after exactly the time it says there is room, and a millisecond earlier there is none', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, trace, async (size, arrivals) => {
        const clock = testClock('2026-01-01T00:00:00.123Z');
        const limits = createRateLimit({ store: memoryStore({ clock }), clock });
        const limit = limitOf(algorithm, size);
        for (const { gapMs, cost } of arrivals) {
          if (gapMs > 0) await clock.advance(`${gapMs}ms`);
          const ask = () => limits.check([{ limit, key: 'k', cost }]);
          const { retryAfterMs } = await ask();
          if (retryAfterMs === null) continue;
          await clock.advance(`${retryAfterMs - 1}ms`);
          expect((await ask()).retryAfterMs).toBe(1);
          await clock.advance('1ms');
          expect((await ask()).allowed).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('set back, the clock lets nothing more through', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100_000 }), (backMs) => {
        const claim: Claim = {
          key: 'k',
          algorithm,
          quota: 3,
          capacity: 3,
          windowMs: 1000,
          cost: 1,
          shadow: false,
        };
        const meter = meters[algorithm];
        let nowMs = 1_700_000_000_000;
        let counts = meter.take({ ...claim, cost: 3 }, undefined, nowMs);
        nowMs -= backMs;
        expect(meter.look(claim, counts, nowMs).hasRoom).toBe(false);
        const { retryAfterMs } = meter.look(claim, counts, nowMs);
        expect(retryAfterMs).toBeLessThanOrEqual(1000);
        nowMs += Math.max(retryAfterMs, 1000);
        if (meter.look(claim, counts, nowMs).hasRoom) counts = meter.take(claim, counts, nowMs);
        expect(meter.look({ ...claim, cost: 0 }, counts, nowMs).remaining).toBeLessThan(3);
      }),
    );
  });
});

test('a burst at the edge of a window: 10 a second lets 10 through, not 19', async () => {
  const clock = testClock('2026-01-01T00:00:00.950Z');
  const limits = createRateLimit({ store: memoryStore({ clock }), clock });
  const limit = { name: 'edge', algorithm: 'sliding_window', quota: 10, window: '1s' } as const;
  let passed = 0;
  for (let i = 0; i < 200; i += 1) {
    passed += Number((await limits.check([{ limit, key: 'k' }])).allowed);
    await clock.advance('1ms');
  }
  expect(passed).toBe(10);
});

test('a sliding window keeps 33 moments at most, whatever its quota', async () => {
  let counts = undefined as ReturnType<(typeof meters)['gcra']['take']> | undefined;
  const claim: Claim = {
    key: 'k',
    algorithm: 'sliding_window',
    quota: 1_000_000,
    capacity: 1_000_000,
    windowMs: 1000,
    cost: 1,
    shadow: false,
  };
  for (let nowMs = 0; nowMs < 5000; nowMs += 1) {
    counts = meters.sliding_window.take(claim, counts, nowMs);
    expect(counts.moments.length).toBeLessThanOrEqual(2 * 33);
  }
});
