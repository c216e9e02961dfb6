import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { AbuseStore } from '../abuse-store.ts';

/** A store of scores and a way to let its time pass. */
export interface AbuseStoreHarness {
  store: AbuseStore;
  /** Lets at least so much of the store's time pass. */
  wait(ms: number): Promise<void>;
  close?(): Promise<void>;
}

const longMs = 3_600_000;

/** The promises of `AbuseStore`, as tests. */
export function describeAbuseStore(
  name: string,
  open: () => AbuseStoreHarness | Promise<AbuseStoreHarness>,
): void {
  describe(`${name} as a store of abuse scores`, () => {
    let harness: AbuseStoreHarness;
    let callers = 0;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close?.());
    const newCaller = () => `${name}-caller-${(callers += 1)}`;

    test('points of 64 at once add up', async () => {
      const caller = newCaller();
      const add = () => harness.store.add(caller, 2, longMs);
      const states = await Promise.all(Array.from({ length: 64 }, add));
      expect(Math.max(...states.map(({ score }) => score))).toBeCloseTo(128, 0);
      expect((await harness.store.read(caller, longMs)).score).toBeCloseTo(128, 0);
      expect(await harness.store.read(newCaller(), longMs)).toEqual({ score: 0, blockedForMs: 0 });
    });

    test('a score decays by half in its half-life', async () => {
      const caller = newCaller();
      await harness.store.add(caller, 80, 200);
      await harness.wait(200);
      const { score } = await harness.store.read(caller, 200);
      expect(score).toBeLessThanOrEqual(41);
      expect((await harness.store.add(caller, 10, 200)).score).toBeLessThanOrEqual(score + 10.5);
    });

    test('of 64 that block at once, one finds the caller free', async () => {
      const caller = newCaller();
      const block = () => harness.store.block(caller, longMs);
      const found = await Promise.all(Array.from({ length: 64 }, block));
      expect(found.filter((wasFree) => wasFree)).toHaveLength(1);
      const { blockedForMs } = await harness.store.read(caller, longMs);
      expect(blockedForMs).toBeGreaterThan(longMs - 60_000);
    });

    test('a block ends by itself, and a shorter one never shortens it', async () => {
      const [short, long] = [newCaller(), newCaller()];
      await harness.store.block(short, 60);
      await harness.store.block(long, longMs);
      expect(await harness.store.block(long, 60)).toBe(false);
      await harness.wait(70);
      expect(await harness.store.read(short, longMs)).toMatchObject({ blockedForMs: 0 });
      expect((await harness.store.read(long, longMs)).blockedForMs).toBeGreaterThan(60);
      expect(await harness.store.block(short, 60)).toBe(true);
    });

    test('who is blocked is listed first, then who has the highest score, and nobody twice', async () => {
      const [low, high, short, long, gone] = Array.from({ length: 5 }, newCaller) as [
        string,
        string,
        string,
        string,
        string,
      ];
      await harness.store.add(gone, 1000, 1);
      await harness.store.add(low, 4000, longMs);
      await harness.store.add(short, 1, longMs);
      await harness.store.add(high, 8000, longMs);
      await harness.store.block(short, longMs * 5);
      await harness.store.block(long, longMs * 6);
      await harness.wait(50);
      const all = await harness.store.list(longMs, 100);
      // Of others something may be held, too.
      const mine = new Set([low, high, short, long, gone]);
      const listed = all.filter(({ caller }) => mine.has(caller));
      expect(listed.map(({ caller }) => caller)).toEqual([long, short, high, low]);
      expect(listed[2]?.score).toBeCloseTo(8000, -1);
      expect(listed[2]?.blockedForMs).toBe(0);
      expect(new Set(all.map(({ caller }) => caller)).size).toBe(all.length);
      expect((await harness.store.list(longMs, 1)).map(({ caller }) => caller)).toEqual([long]);
      for (const caller of [low, high, short, long]) await harness.store.unblock(caller);
    });

    test('who is let in again has no score, and is not listed', async () => {
      const [first, second] = [newCaller(), newCaller()];
      await harness.store.add(first, 10, longMs);
      await harness.store.block(first, longMs * 2);
      await harness.store.block(second, longMs * 3);
      const listed = await harness.store.list(longMs, 2);
      expect(listed.map(({ caller }) => caller)).toEqual([second, first]);
      expect(listed[1]?.score).toBeCloseTo(10, 0);
      expect(await harness.store.unblock(first)).toBe(true);
      expect(await harness.store.unblock(first)).toBe(false);
      expect(await harness.store.unblock(second)).toBe(true);
      expect(await harness.store.read(first, longMs)).toEqual({ score: 0, blockedForMs: 0 });
      const names = (await harness.store.list(longMs, 100)).map(({ caller }) => caller);
      expect(names).not.toContain(first);
    });
  });
}
