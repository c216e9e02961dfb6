import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Algorithm } from './limit.ts';
import type { Claim, RateLimitStore } from './store.ts';

export { type AbuseStoreHarness, describeAbuseStore } from './testing/abuse-store.ts';

/** A store and a way to let its time pass. */
export interface RateLimitStoreHarness {
  /** Two of them on the same counts, as two processes have them; a store of one process twice. */
  stores: readonly [RateLimitStore, RateLimitStore];
  /** Lets at least so much of the store's time pass. */
  wait(ms: number): Promise<void>;
  /** Milliseconds of a clock that never runs backwards, at the store's pace. */
  elapsedMs(): number;
  close?(): Promise<void>;
}

export interface DescribeRateLimitStoreOptions {
  /** Promises that this store does not make, and why. @default none */
  skip?: readonly SkippedPromise[];
}

const algorithms: readonly Algorithm[] = ['gcra', 'sliding_window', 'fixed_window'];
const hourMs = 3_600_000;

/** The promises of `RateLimitStore`, as tests: run it on every store. Each test uses keys of its own. */
export function describeRateLimitStore(
  name: string,
  open: () => RateLimitStoreHarness | Promise<RateLimitStoreHarness>,
  { skip = [] }: DescribeRateLimitStoreOptions = {},
): void {
  describe(`${name} as a rate limit store`, () => {
    let harness: RateLimitStoreHarness;
    let keys = 0;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close?.());

    const promise = contractTest(test, skip);
    const newKey = () => `${name}-key-${(keys += 1)}`;
    const claimOf = (algorithm: Algorithm, changes: Partial<Claim> = {}): Claim => {
      const quota = changes.quota ?? 10;
      return {
        key: newKey(),
        algorithm,
        quota,
        windowMs: hourMs,
        capacity: quota,
        cost: 1,
        shadow: false,
        ...changes,
      };
    };
    const consume = async (...claims: Claim[]) => harness.stores[0].consume(claims);
    const consumeOne = async (claim: Claim) => {
      const [outcome] = await consume(claim);
      if (outcome === undefined) throw new TypeError('there is one outcome for each claim');
      return outcome;
    };
    /** So many at once, by turns through both stores. */
    const atOnce = (count: number, ...claims: Claim[]) =>
      Promise.all(
        Array.from({ length: count }, async (_, i) =>
          (harness.stores[i % 2] ?? harness.stores[0]).consume(claims),
        ),
      );

    for (const algorithm of algorithms) {
      const claim = (changes?: Partial<Claim>) => claimOf(algorithm, changes);

      promise(`${algorithm}: of 64 at once exactly the quota passes`, async () => {
        const outcomes = (await atOnce(64, claim())).map(([outcome]) => outcome);
        expect(outcomes.filter((outcome) => outcome?.hasRoom)).toHaveLength(10);
        const remaining = outcomes.filter((each) => each?.hasRoom).map((each) => each?.remaining);
        expect(remaining.toSorted((a, b) => Number(a) - Number(b))).toEqual([
          0, 1, 2, 3, 4, 5, 6, 7, 8, 9,
        ]);
      });

      promise(`${algorithm}: a cost counts as it is, and 0 only looks`, async () => {
        const key = newKey();
        const cost = (points: number) => consumeOne(claim({ key, cost: points }));
        expect(await cost(4)).toMatchObject({ hasRoom: true, remaining: 6, retryAfterMs: 0 });
        expect(await cost(6)).toMatchObject({ hasRoom: true, remaining: 0 });
        expect(await cost(0)).toMatchObject({ hasRoom: true, remaining: 0 });
        expect(await cost(1)).toMatchObject({ hasRoom: false, remaining: 0 });
      });

      promise(`${algorithm}: what is refused costs nothing`, async () => {
        const key = newKey();
        await consumeOne(claim({ key, cost: 8 }));
        for (let i = 0; i < 20; i += 1)
          expect(await consumeOne(claim({ key, cost: 3 }))).toMatchObject({ hasRoom: false });
        expect(await consumeOne(claim({ key, cost: 2 }))).toMatchObject({ hasRoom: true });
      });

      promise(`${algorithm}: what is used stays used when the quota changes`, async () => {
        const key = newKey();
        await consumeOne(claim({ key, cost: 8 }));
        const more = claim({ key, quota: 20, capacity: 20, cost: 0 });
        expect((await consumeOne(more)).remaining).toBe(12);
        const less = claim({ key, quota: 5, capacity: 5 });
        expect(await consumeOne(less)).toMatchObject({ hasRoom: false, remaining: 0 });
      });

      promise(`${algorithm}: after the time it says there is room again`, async () => {
        const short = claim({ quota: 3, capacity: 3, windowMs: 200 });
        for (let i = 0; i < 6; i += 1) {
          const { hasRoom, retryAfterMs } = await consumeOne(short);
          if (hasRoom) continue;
          expect(retryAfterMs).toBeGreaterThan(0);
          expect(retryAfterMs).toBeLessThanOrEqual(200);
          await harness.wait(retryAfterMs);
          expect((await consumeOne(short)).hasRoom).toBe(true);
        }
      });

      promise(`${algorithm}: hammered on, it lets through what it promises`, async () => {
        const short = claim({ quota: 7, capacity: 7, windowMs: 150 });
        const passed: { from: number; to: number }[] = [];
        const startedAt = harness.elapsedMs();
        while (harness.elapsedMs() - startedAt < 600) {
          const from = harness.elapsedMs();
          const outcomes = await atOnce(8, short);
          const to = harness.elapsedMs();
          for (const [outcome] of outcomes) if (outcome?.hasRoom) passed.push({ from, to });
          await harness.wait(1);
        }
        expect(passed.length).toBeGreaterThanOrEqual(21);
        for (const [i, first] of passed.entries())
          for (const [j, last] of passed.entries()) {
            if (j < i) continue;
            // Decided between `from` and `to`, in whole milliseconds: at most so much time lies between them.
            const spanMs = last.to - first.from + 1;
            const most =
              algorithm === 'gcra'
                ? 7 + (7 * spanMs) / 150
                : 7 * (Math.floor(spanMs / 150) + (algorithm === 'fixed_window' ? 2 : 1));
            expect(j - i + 1).toBeLessThanOrEqual(most);
          }
      });
    }

    promise('several limits are consumed all or none, 64 at once', async () => {
      const wide = claimOf('gcra', { quota: 40, capacity: 40 });
      const narrow = claimOf('sliding_window', { quota: 6, capacity: 6 });
      const middle = claimOf('fixed_window', { quota: 20, capacity: 20 });
      // In another order elsewhere: two calls must not wait for each other.
      const [there, back] = await Promise.all([
        atOnce(32, wide, narrow, middle),
        atOnce(32, middle, narrow, wide),
      ]);
      const all = [...there, ...back];
      expect(all.filter((each) => each.every(({ hasRoom }) => hasRoom))).toHaveLength(6);
      const after = await consume(...[wide, narrow, middle].map((each) => ({ ...each, cost: 0 })));
      expect(after.map(({ remaining }) => remaining)).toEqual([34, 0, 14]);
    });

    promise('limits that count alike are consumed all or none, 64 at once', async () => {
      const own = () => claimOf('gcra', { quota: 9, capacity: 9 });
      const wide = claimOf('gcra', { quota: 50, capacity: 50, cost: 2 });
      const narrow = claimOf('gcra', { quota: 7, capacity: 7 });
      const all = await Promise.all(
        Array.from({ length: 64 }, (_, i) =>
          (harness.stores[i % 2] ?? harness.stores[0]).consume(
            i % 3 === 0 ? [own(), narrow, wide] : [wide, narrow, own()],
          ),
        ),
      );
      expect(all.filter((each) => each.every(({ hasRoom }) => hasRoom))).toHaveLength(7);
      const after = await consume(...[wide, narrow].map((each) => ({ ...each, cost: 0 })));
      expect(after.map(({ remaining }) => remaining)).toEqual([36, 0]);
    });

    promise('a shadow is consumed where it has room, and is never in the way', async () => {
      const real = claimOf('gcra', { quota: 5, capacity: 5 });
      const shadow = claimOf('sliding_window', { quota: 2, capacity: 2, shadow: true });
      const seen: unknown[] = [];
      for (let i = 0; i < 6; i += 1)
        seen.push((await consume(real, shadow)).map(({ hasRoom }) => hasRoom));
      expect(seen).toEqual([
        [true, true],
        [true, true],
        [true, false],
        [true, false],
        [true, false],
        [false, false],
      ]);
    });

    promise('a shadow is not consumed when another limit refuses', async () => {
      const real = claimOf('gcra', { quota: 1, capacity: 1 });
      const shadow = claimOf('fixed_window', { shadow: true });
      for (let i = 0; i < 4; i += 1) await consume(real, shadow);
      const [look] = await consume({ ...shadow, cost: 0 });
      expect(look?.remaining).toBe(9);
    });

    promise('keys do not know of each other', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 30 }, () => consumeOne(claimOf('gcra', { quota: 1, capacity: 1 }))),
      );
      expect(outcomes.every(({ hasRoom }) => hasRoom)).toBe(true);
    });

    promise('all is free again when it says so', async () => {
      for (const algorithm of algorithms) {
        const claim = claimOf(algorithm, { quota: 4, capacity: 4, windowMs: 120 });
        await consumeOne({ ...claim, cost: 4 });
        const { resetAfterMs } = await consumeOne({ ...claim, cost: 0 });
        await harness.wait(resetAfterMs);
        expect(await consumeOne({ ...claim, cost: 4 })).toMatchObject({ hasRoom: true });
      }
    });
  });
}
