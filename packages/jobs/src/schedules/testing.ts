import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { describe, expect, test } from 'vitest';
import type { ScheduleStore, TickClaim } from './store.ts';

/** Two stores over the same data; the second may be the first. */
export type OpenScheduleStores = () => Promise<{ stores: readonly [ScheduleStore, ScheduleStore] }>;

const at = (seconds: number) => new Date(Date.UTC(2026, 0, 1) + seconds * 1000);
let count = 0;

/** Declares the promises of `ScheduleStore` as tests. */
export function describeScheduleStore(
  name: string,
  open: OpenScheduleStores,
  { skip = [] }: { skip?: readonly SkippedPromise[] } = {},
): void {
  const declare = contractTest(test, skip);
  const promise = (
    title: string,
    run: (stores: { one: ScheduleStore; other: ScheduleStore; schedule: string }) => Promise<void>,
  ) =>
    declare(title, async () => {
      const [one, other] = (await open()).stores;
      const schedule = `schedule-${(count += 1)}`;
      await one.register([{ name: schedule, pattern: 'a' }], at(0));
      await run({ one, other, schedule });
    });
  const claimOf = (schedule: string, seconds: number, advances = true): TickClaim => ({
    schedule,
    tickAt: at(seconds),
    advances,
  });
  const nothing = async () => {};

  describe(`a store of schedules: ${name}`, () => {
    promise('of 50 claims of a tick at once one enqueues', async ({ one, other, schedule }) => {
      let enqueued = 0;
      const claims = Array.from({ length: 50 }, (_, i) =>
        (i % 2 === 0 ? one : other).claimTick(claimOf(schedule, 5), async () => {
          await Promise.resolve();
          enqueued += 1;
        }),
      );
      const won = (await Promise.all(claims)).filter(Boolean);
      expect([won.length, enqueued]).toEqual([1, 1]);
      expect(await other.claimTick(claimOf(schedule, 5), nothing)).toBe(false);
    });

    promise('a tick whose enqueuing rejects is free', async ({ one, other, schedule }) => {
      const error = new Error('no queue');
      const refuse = () => Promise.reject(error);
      await expect(one.claimTick(claimOf(schedule, 5), refuse)).rejects.toBe(error);
      expect(await one.read([schedule])).toMatchObject([{ decidedUntil: at(0), lastTickAt: null }]);
      expect(await other.claimTick(claimOf(schedule, 5), nothing)).toBe(true);
    });

    promise('a tick that is done with is never claimed', async ({ one, other, schedule }) => {
      expect(await one.claimTick(claimOf(schedule, 0), nothing)).toBe(false);
      expect(await one.claimTick(claimOf(schedule, 9), nothing)).toBe(true);
      expect(await other.claimTick(claimOf(schedule, 8), nothing)).toBe(false);
      expect(await other.read([schedule])).toEqual([
        { name: schedule, decidedUntil: at(9), lastTickAt: at(9), pausedAt: null },
      ]);
    });

    promise(
      'an earlier tick stays free where a later one does not advance',
      async ({ one, other, schedule }) => {
        expect(await one.claimTick(claimOf(schedule, 9, false), nothing)).toBe(true);
        expect(await one.read([schedule])).toMatchObject([
          { decidedUntil: at(0), lastTickAt: at(9) },
        ]);
        expect(await other.claimTick(claimOf(schedule, 8), nothing)).toBe(true);
        expect(await other.claimTick(claimOf(schedule, 9), nothing)).toBe(false);
        expect(await one.read([schedule])).toMatchObject([
          { decidedUntil: at(8), lastTickAt: at(9) },
        ]);
      },
    );

    promise(
      'registered again it stays as it is, with another pattern it begins anew',
      async ({ one, other, schedule }) => {
        const decided = async () => (await one.read([schedule]))[0]?.decidedUntil;
        await other.register([{ name: schedule, pattern: 'a' }], at(50));
        expect(await decided()).toEqual(at(0));
        await other.register([{ name: schedule, pattern: 'b' }], at(60));
        expect(await decided()).toEqual(at(60));
        await other.register([{ name: schedule, pattern: 'c' }], at(10));
        expect(await decided()).toEqual(at(60));
      },
    );

    promise(
      'while it is paused no tick is claimed, and none of the pause after it',
      async ({ one, other, schedule }) => {
        await one.pause(schedule, at(3));
        await other.pause(schedule, at(4));
        expect(await other.read([schedule])).toMatchObject([{ pausedAt: at(3) }]);
        expect(await other.claimTick(claimOf(schedule, 5), nothing)).toBe(false);
        await other.resume(schedule, at(20));
        expect(await one.read([schedule])).toMatchObject([
          { pausedAt: null, decidedUntil: at(20) },
        ]);
        expect(await one.claimTick(claimOf(schedule, 15), nothing)).toBe(false);
        expect(await one.claimTick(claimOf(schedule, 25), nothing)).toBe(true);
        await one.resume(schedule, at(99));
        expect(await one.read([schedule])).toMatchObject([{ decidedUntil: at(25) }]);
      },
    );

    promise('what is unknown is not read, claimed or paused', async ({ one }) => {
      await one.pause('unknown', at(1));
      await one.resume('unknown', at(1));
      expect(await one.read(['unknown'])).toEqual([]);
      expect(await one.claimTick(claimOf('unknown', 5), nothing)).toBe(false);
    });

    promise(
      'old ticks are forgotten when they are done with, and not before',
      async ({ one, other, schedule }) => {
        for (const seconds of [1, 2, 3]) await one.claimTick(claimOf(schedule, seconds), nothing);
        await one.claimTick(claimOf(schedule, 9, false), nothing);
        const pruned = await Promise.all([one.prune(at(3)), other.prune(at(3))]);
        expect(pruned[0] + pruned[1]).toBeGreaterThanOrEqual(2);
        expect(await one.claimTick(claimOf(schedule, 2), nothing)).toBe(false);
        await one.prune(at(1000));
        expect(await other.claimTick(claimOf(schedule, 9), nothing)).toBe(false);
        expect(await other.claimTick(claimOf(schedule, 8), nothing)).toBe(true);
      },
    );
  });
}
