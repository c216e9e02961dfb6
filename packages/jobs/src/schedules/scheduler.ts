import { type Clock, type Duration, type Logger, silentLogger, systemClock, toMs } from '@svc/core';
import { ScheduleNotFound } from '../failures.ts';
import type { Within } from '../jobs.ts';
import { createPasses, type EnqueueTick } from './passes.ts';
import type { Schedule } from './schedule.ts';
import type { ScheduleStore } from './store.ts';

/** A schedule, and how it stands. */
export interface ScheduleStatus {
  readonly name: string;
  readonly task: string;
  readonly pattern: string;
  readonly pausedAt: Date | null;
  /** The newest tick that was enqueued. */
  readonly lastTickAt: Date | null;
  /** `null` while it is paused. */
  readonly nextTickAt: Date | null;
}

/** Enqueues the ticks of schedules, each once, however many schedulers there are. */
export interface Scheduler<Enqueued = unknown> extends AsyncDisposable {
  /** Makes the schedules known, then enqueues their ticks until `stop`. A new schedule begins with its next tick. @throws what the store throws */
  start(): Promise<void>;
  /** Resolves when the tick that is being enqueued is. */
  stop(): Promise<void>;
  /** No process enqueues its ticks until `resume`. @throws {ScheduleNotFound} */
  pause(name: string, options?: Within): Promise<void>;
  /** Goes on with the next tick; those of the pause are not made up for. @throws {ScheduleNotFound} */
  resume(name: string, options?: Within): Promise<void>;
  /** Enqueues its task at once, also while it is paused; its ticks stay as they are. @throws {ScheduleNotFound} */
  runNow(name: string, options?: Within): Promise<Enqueued>;
  list(): Promise<ScheduleStatus[]>;
}

export interface SchedulerOptions<Enqueued> {
  /** `postgresScheduleStore(db)`, `memoryScheduleStore()`. */
  store: ScheduleStore;
  schedules: readonly Schedule[];
  /** `jobs.enqueue`. It joins `within`: else a crash between job and tick enqueues the tick twice. */
  enqueue: EnqueueTick<Enqueued>;
  /** How long ticks that are done with are kept. @default '7d' */
  keepTicks?: Duration;
  /** What ticks follow. @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'scheduler' */
  name?: string;
}

// Time may be set anew while we sleep, and a machine may stand still: no timer is trusted for longer. Costs no query.
const longestNapMs = 1000;

/** @throws {TypeError} when two schedules have one name. */
export function createScheduler<Enqueued>({
  store,
  schedules,
  enqueue,
  keepTicks = '7d',
  clock = systemClock,
  logger = silentLogger,
  name = 'scheduler',
}: SchedulerOptions<Enqueued>): Scheduler<Enqueued> {
  const byName = new Map(schedules.map((schedule) => [schedule.name, schedule]));
  if (byName.size < schedules.length) throw new TypeError('two schedules have the same name');
  const keepMs = toMs(keepTicks);
  const context = { store, schedules, enqueue, keepMs, clock, logger, name };
  let running: { abort: AbortController; ended: Promise<void> } | undefined;

  const known = (wanted: string) => {
    const schedule = byName.get(wanted);
    if (schedule === undefined) throw new ScheduleNotFound();
    return schedule;
  };
  const loop = async (signal: AbortSignal) => {
    const passes = createPasses(context);
    while (!signal.aborted) {
      await passes.run(signal);
      const leftMs = passes.nextAtMs() - clock.now().getTime();
      if (leftMs > 0) await clock.sleep(Math.min(longestNapMs, leftMs), signal).catch(() => {});
    }
  };
  const stop = async () => {
    const stopping = running;
    running = undefined;
    stopping?.abort.abort();
    await stopping?.ended;
  };

  return {
    async start() {
      if (running !== undefined) return;
      const own = { abort: new AbortController(), ended: Promise.resolve() };
      running = own;
      try {
        await store.register(schedules, clock.now());
      } catch (error) {
        if (running === own) running = undefined;
        throw error;
      }
      // Stopped in the meantime, it ends before its first pass.
      own.ended = loop(own.abort.signal);
    },
    stop,
    [Symbol.asyncDispose]: stop,
    async pause(wanted, { within } = {}) {
      const schedule = known(wanted);
      await store.register([schedule], clock.now());
      await store.pause(wanted, clock.now(), within);
    },
    async resume(wanted, { within } = {}) {
      await store.resume(known(wanted).name, clock.now(), within);
    },
    async runNow(wanted, { within } = {}) {
      const { task, payloadAt } = known(wanted);
      return enqueue(task, payloadAt(clock.now()), { within });
    },
    async list() {
      const rows = await store.read([...byName.keys()]);
      const stored = new Map(rows.map((row) => [row.name, row]));
      const now = clock.now();
      return schedules.map((schedule) => {
        const { pausedAt = null, lastTickAt = null } = stored.get(schedule.name) ?? {};
        const nextTickAt = pausedAt === null ? schedule.timetable.next(now) : null;
        const { name: itsName, task, pattern } = schedule;
        return { name: itsName, task, pattern, pausedAt, lastTickAt, nextTickAt };
      });
    },
  };
}
