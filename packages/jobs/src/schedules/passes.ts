import type { Clock, Logger } from '@svc/core';
import { dueTicks } from './due.ts';
import { tickFailed, ticked } from '../events.ts';
import type { Within } from '../jobs.ts';
import type { Schedule } from './schedule.ts';
import type { ScheduleStore, StoredSchedule } from './store.ts';

/** Stores a job; `jobs.enqueue` fits. */
export type EnqueueTick<Enqueued> = (
  task: string,
  payload: unknown,
  options: Within,
) => Promise<Enqueued>;

export interface PassContext {
  readonly store: ScheduleStore;
  readonly schedules: readonly Schedule[];
  readonly enqueue: EnqueueTick<unknown>;
  readonly keepMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly name: string;
}

/** A schedule, and when it is to be looked at again. */
interface Timer {
  readonly schedule: Schedule;
  wakesAtMs: number;
  failures: number;
}

/** One look at all schedules after another. */
export interface Passes {
  /** Enqueues what is due. Asks the store for nothing while nothing is. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** When the next look is worth it, in milliseconds since 1970. */
  nextAtMs(): number;
}

const pruneEveryMs = 3_600_000;

export function createPasses(context: PassContext): Passes {
  const { store, schedules, clock, logger } = context;
  // All are looked at when it starts: for what came while nothing ran.
  const timers = schedules.map((schedule): Timer => ({ schedule, wakesAtMs: 0, failures: 0 }));
  let prunesAtMs = 0;

  const prune = async (nowMs: number) => {
    if (nowMs < prunesAtMs) return;
    prunesAtMs = nowMs + pruneEveryMs;
    try {
      await store.prune(new Date(nowMs - context.keepMs));
    } catch (error) {
      logger.warn({ err: error }, 'old ticks could not be removed');
    }
  };

  return {
    nextAtMs: () => timers.reduce((least, { wakesAtMs }) => Math.min(least, wakesAtMs), Infinity),
    async run(signal) {
      const nowMs = clock.now().getTime();
      const awake = timers.filter(({ wakesAtMs }) => wakesAtMs <= nowMs);
      if (awake.length === 0) return;
      let rows: StoredSchedule[];
      try {
        rows = await store.read(awake.map(({ schedule }) => schedule.name));
      } catch (error) {
        logger.error({ err: error }, 'schedules could not be read, trying again');
        for (const timer of awake) sleepAfterFailure(timer, clock.now());
        return;
      }
      const stored = new Map(rows.map((row) => [row.name, row]));
      for (const timer of awake) {
        if (signal.aborted) return;
        await look(context, timer, stored.get(timer.schedule.name), signal);
      }
      await prune(nowMs);
    },
  };
}

async function look(
  context: PassContext,
  timer: Timer,
  stored: StoredSchedule | undefined,
  signal: AbortSignal,
): Promise<void> {
  const { schedule } = timer;
  const now = context.clock.now();
  try {
    // Removed by hand, or the database is that of a backup.
    if (stored === undefined) await context.store.register([schedule], now);
    else if (stored.pausedAt === null) {
      const areEnqueued = await enqueueDue(context, schedule, stored.decidedUntil, now, signal);
      if (!areEnqueued) return sleepAfterFailure(timer, now);
    }
    timer.failures = 0;
    timer.wakesAtMs = schedule.timetable.next(now).getTime();
  } catch (error) {
    context.logger.error(
      { err: error, schedule: schedule.name },
      'a schedule could not be looked at, trying again',
    );
    sleepAfterFailure(timer, now);
  }
}

/** Whether nothing failed. A tick that fails does not keep later ones back, but is tried again. */
async function enqueueDue(
  context: PassContext,
  schedule: Schedule,
  decidedUntil: Date,
  now: Date,
  signal: AbortSignal,
): Promise<boolean> {
  let advances = true;
  for (const tickAt of dueTicks(schedule, decidedUntil, now)) {
    if (signal.aborted) break;
    const isEnqueued = await enqueueTick(context, schedule, tickAt, advances);
    advances &&= isEnqueued;
  }
  return advances;
}

async function enqueueTick(
  { store, enqueue, clock, logger, name }: PassContext,
  { name: schedule, task, payloadAt }: Schedule,
  tickAt: Date,
  advances: boolean,
): Promise<boolean> {
  try {
    const isOurs = await store.claimTick({ schedule, tickAt, advances }, async (within) =>
      enqueue(task, payloadAt(tickAt), { within }),
    );
    const lateMs = clock.now().getTime() - tickAt.getTime();
    if (isOurs) ticked.publish(name, { schedule, task, tickAt, lateMs });
    return true;
  } catch (error) {
    logger.error(
      { err: error, schedule, task, tickAt },
      'a tick could not be enqueued, trying again',
    );
    tickFailed.publish(name, { schedule, task, tickAt });
    return false;
  }
}

const longestPauseMs = 60_000;

/** A second, doubled with each failure up to a minute, but no longer than to its next tick. */
function sleepAfterFailure(timer: Timer, now: Date): void {
  const pauseMs = Math.min(longestPauseMs, 1000 * 2 ** timer.failures);
  timer.failures = Math.min(timer.failures + 1, 10);
  let nextAtMs = Infinity;
  try {
    nextAtMs = timer.schedule.timetable.next(now).getTime();
  } catch {
    // A timetable without a next tick is what failed.
  }
  timer.wakesAtMs = Math.min(now.getTime() + pauseMs, nextAtMs);
}
