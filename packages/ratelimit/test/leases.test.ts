import { testClock } from '@svc/core/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRateLimit, defineLimit, memoryStore, type RateLimitStore } from '../src/index.ts';

function openNodes(nodes: number, chunk: number, clock = testClock()) {
  const inner = memoryStore({ clock });
  const asked = { calls: 0 };
  const store: RateLimitStore = {
    isLocal: false,
    async consume(claims) {
      asked.calls += 1;
      await Promise.resolve();
      return inner.consume(claims);
    },
  };
  return {
    clock,
    asked,
    limits: Array.from({ length: nodes }, () =>
      createRateLimit({ store, clock, lease: { chunk } }),
    ),
  };
}

const limit = defineLimit({ name: 'l', algorithm: 'sliding_window', quota: 1000, window: '1m' });

test('a chunk is asked for once, and decided on here', async () => {
  const {
    limits: [node],
    asked,
  } = openNodes(1, 50);
  for (let i = 0; i < 100; i += 1) {
    const decision = await node?.check([{ limit, key: 'a' }]);
    expect(decision).toMatchObject({ allowed: true, limits: [{ remaining: 999 - i }] });
  }
  expect(asked.calls).toBe(2);
});

test('64 at once wait for one chunk, and exactly the quota passes', async () => {
  const { limits, asked } = openNodes(3, 50);
  const outcomes = await Promise.all(
    Array.from({ length: 1500 }, (_, i) => limits[i % 3]?.check([{ limit, key: 'a' }])),
  );
  expect(outcomes.filter((each) => each?.allowed)).toHaveLength(1000);
  const refused = outcomes.find((each) => each?.allowed === false);
  expect(refused?.retryAfterMs).toBe(60_000);
  expect(asked.calls).toBeLessThan(40);
});

test('in any window at most a chunk for each node passes beyond the quota', async () => {
  const arrivals = fc.array(
    fc.record({
      gapMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 60 })),
      node: fc.integer({ min: 0, max: 2 }),
      cost: fc.integer({ min: 1, max: 3 }),
    }),
    { minLength: 50, maxLength: 250 },
  );
  const small = defineLimit({ name: 's', algorithm: 'sliding_window', quota: 40, window: '500ms' });
  let overshot = 0;
  await fc.assert(
    fc.asyncProperty(arrivals, async (trace) => {
      const { limits, clock } = openNodes(3, 4);
      const passed: { at: number; cost: number }[] = [];
      for (const { gapMs, node, cost } of trace) {
        if (gapMs > 0) await clock.advance(`${gapMs}ms`);
        const decision = await limits[node]?.check([{ limit: small, key: 'a', cost }]);
        if (decision?.allowed) passed.push({ at: clock.elapsedMs(), cost });
      }
      for (const [i, first] of passed.entries()) {
        const within = passed.slice(i).filter(({ at }) => at < first.at + 500);
        const sum = within.reduce((total, each) => total + each.cost, 0);
        overshot = Math.max(overshot, sum - 40);
        // chunk 4 (a tenth of 40), three nodes
        expect(sum).toBeLessThanOrEqual(40 + 4 * 3);
      }
    }),
    { numRuns: 150 },
  );
  expect(overshot).toBeLessThanOrEqual(12);
});

test('no node takes more than a tenth of a limit, so that others find some', async () => {
  const {
    limits: [first, second],
  } = openNodes(2, 1_000_000);
  expect((await first?.check([{ limit, key: 'a' }]))?.allowed).toBe(true);
  const decision = await second?.check([{ limit, key: 'a' }]);
  expect(decision?.limits[0]).toMatchObject({ violated: false, remaining: 899 });
});

test('of several limits all are taken from or none, also here', async () => {
  const {
    limits: [node],
  } = openNodes(1, 10);
  const narrow = defineLimit({ name: 'n', algorithm: 'gcra', quota: 3, window: '1h' });
  const both = [
    { limit, key: 'a' },
    { limit: narrow, key: 'a' },
  ];
  const seen = [];
  for (let i = 0; i < 6; i += 1) seen.push((await node?.check(both))?.allowed);
  expect(seen).toEqual([true, true, true, false, false, false]);
  const look = await node?.check([{ limit, key: 'a' }]);
  expect(look?.limits[0]?.remaining).toBe(996);
});

test('what is held is given up after a window', async () => {
  const {
    limits: [node],
    clock,
    asked,
  } = openNodes(1, 50);
  await node?.check([{ limit, key: 'a' }]);
  await clock.advance('61s');
  const decision = await node?.check([{ limit, key: 'a' }]);
  expect(decision?.limits[0]?.remaining).toBe(999);
  expect(asked.calls).toBe(2);
});

test('a cost above the chunk is taken whole', async () => {
  const {
    limits: [node],
  } = openNodes(1, 5);
  const decision = await node?.check([{ limit, key: 'a', cost: 30 }]);
  expect(decision?.limits[0]).toMatchObject({ violated: false, remaining: 970 });
});

test('who only looks sees what the store has', async () => {
  const {
    limits: [first, second],
  } = openNodes(2, 50);
  await first?.check([{ limit, key: 'a' }]);
  const look = await second?.check([{ limit, key: 'a', cost: 0 }]);
  expect(look?.limits[0]?.remaining).toBe(950);
});
