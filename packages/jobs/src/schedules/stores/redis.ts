import { type Clock, type NewId, systemClock, uuidv7 } from '@svc/core';
import { createScript, type RedisClient } from '../../stores/redis-client.ts';
import type { ScheduleStore } from '../store.ts';
import {
  beginScript,
  holdScript,
  keepScript,
  pauseScript,
  pruneScript,
  readScript,
  registerScript,
  resumeScript,
} from './redis-scripts.ts';

export interface RedisScheduleStoreOptions {
  /** What all keys begin with, in braces. @default 'svc:jobs' */
  prefix?: string;
  /** What it waits by while another scheduler enqueues a tick. @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
}

const holdMs = 5000;
const lookEveryMs = 10;

/**
 * Keeps schedules in Redis. Whoever enqueues a tick holds it meanwhile; a scheduler that is killed lets go of it within five
 * seconds. Killed between the job and the record of the tick, it leaves a tick that is enqueued again: where each tick
 * counts, keep schedules in PostgreSQL, beside `withOutbox`.
 */
export function redisScheduleStore(
  client: RedisClient,
  { prefix = 'svc:jobs', clock = systemClock, newId = uuidv7 }: RedisScheduleStoreOptions = {},
): ScheduleStore {
  const base = `{${prefix}}:`;
  const script = (text: string) => createScript(client, base, text);
  const [register, read, begin, hold] = [
    script(registerScript),
    script(readScript),
    script(beginScript),
    script(holdScript),
  ];
  const [keep, pause, resume, prune] = [
    script(keepScript),
    script(pauseScript),
    script(resumeScript),
    script(pruneScript),
  ];

  /** Runs `work` while the tick is held, which is renewed. */
  const whileHeld = async (words: readonly (string | number)[], work: () => Promise<unknown>) => {
    const ended = new AbortController();
    const renewing = (async () => {
      while (!ended.signal.aborted) {
        await clock.sleep(holdMs / 3, ended.signal);
        await hold(...words, holdMs);
      }
    })();
    renewing.catch(() => {}); // It ended, or Redis is away: then nobody else can have the tick.
    try {
      await work();
    } finally {
      ended.abort('ended');
    }
  };

  return {
    async register(schedules, now) {
      const words = schedules.flatMap(({ name, pattern }) => [name, pattern]);
      if (words.length > 0) await register(now.getTime(), ...words);
    },
    async read(names) {
      if (names.length === 0) return [];
      const rows = (await read(...names)) as (string | null)[][];
      return names.flatMap((name, at) => {
        const [decided = null, last = null, paused = null] = rows[at] ?? [];
        if (decided === null) return [];
        const decidedUntil = new Date(Number(decided));
        return [{ name, decidedUntil, lastTickAt: toDate(last), pausedAt: toDate(paused) }];
      });
    },
    async claimTick({ schedule, tickAt, advances }, enqueue) {
      const words = [schedule, tickAt.getTime(), newId()];
      let answer = await begin(...words, holdMs);
      for (; answer === 'taken'; answer = await begin(...words, holdMs))
        await clock.sleep(lookEveryMs);
      if (answer !== 'mine') return false;
      try {
        await whileHeld(words, () => enqueue(undefined));
      } catch (error) {
        await hold(...words, 0).catch(() => {}); // Then it is let go of by time.
        throw error;
      }
      await keep(...words, advances ? 1 : 0);
      return true;
    },
    async pause(name, now, within) {
      requireOutside(within);
      await pause(name, now.getTime());
    },
    async resume(name, now, within) {
      requireOutside(within);
      await resume(name, now.getTime());
    },
    prune: async (before) => (await prune(before.getTime())) as number,
  };
}

const toDate = (ms: string | null) => (ms === null ? null : new Date(Number(ms)));

function requireOutside(within: unknown): void {
  if (within !== undefined)
    throw new TypeError('schedules in Redis cannot be part of a transaction');
}
