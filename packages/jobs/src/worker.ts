import { type Duration, toMs } from '@svc/core';
import type { AttemptContext } from './attempt.ts';
import { createAttempts } from './attempts.ts';
import { lost } from './events.ts';
import type { Jobs } from './jobs.ts';
import { keepListening } from './listener.ts';
import { createOutcomes } from './outcomes.ts';
import { createSignal } from './signal.ts';
import { createStoreCalls } from './store-calls.ts';
import { requireWhole } from './task.ts';
import { sizeBuffer } from './buffer-size.ts';

/** Runs the jobs of a queue. */
export interface Worker extends AsyncDisposable {
  /** Attempts that run now. */
  readonly running: number;
  /** Begins. A second call does nothing. */
  start(): void;
  /** Takes nothing more, waits for what runs, and hands back what is left after `graceMs`, which does not count as an attempt. */
  stop(options?: { graceMs?: number }): Promise<void>;
  /** Resolves when nothing is ready and nothing runs. */
  drained(): Promise<void>;
}

export interface WorkerOptions {
  /** What `createJobs` gave. */
  jobs: Pick<Jobs, '~inside' | 'name'>;
  /** The most that run at once in this worker. @default 10 */
  concurrency?: number;
  /** Names of the only tasks it runs. @default all */
  tasks?: readonly string[];
  /** A worker that is silent for so long has lost its jobs. @default '15s' */
  lease?: Duration;
  /** Waits between looks when there is nothing to do: the first, and the longest. @default { first: '25ms', longest: '1s' } */
  poll?: { first?: Duration; longest?: Duration };
  /** The most jobs that wait in this process for one of its slots. Grows to it only where jobs are short. @default 500 */
  prefetch?: number;
  /** Whether other processes can wake it. @default true */
  listen?: boolean;
  /** Puts something around every attempt, such as the tenant or a span of its trace. @default nothing */
  around?: (context: AttemptContext, run: () => Promise<unknown>) => Promise<unknown>;
  /** What the store calls it. @default the name of the queue and a random part */
  name?: string;
}

const mostAtOnce = 1000;
const purgeEveryMs = 60_000;

/** @throws {TypeError} when an option is not usable. */
export function createWorker({
  jobs,
  concurrency = 10,
  tasks,
  lease = '15s',
  poll: { first = '25ms', longest = '1s' } = {},
  prefetch = 500,
  listen = true,
  around,
  name,
}: WorkerOptions): Worker {
  requireWhole(concurrency, 1, 10_000, 'concurrency');
  requireWhole(prefetch, 0, 10_000, 'prefetch');
  const inside = jobs['~inside'];
  const { store, clock, logger, newId, limits, wakeUps } = inside;
  const [leaseMs, firstMs, longestMs] = [toMs(lease), toMs(first), toMs(longest)];
  if (leaseMs < 100) throw new TypeError('a lease is at least 100 ms');
  const workerName = name ?? `${jobs.name}-${newId().slice(-12)}`;
  const calls = createStoreCalls({ clock, logger, name: jobs.name });
  /** There may be work; there is room. */
  const work = createSignal(clock);
  const room = createSignal(clock);
  const outcomes = createOutcomes({ calls, inside, name: jobs.name });
  const attempts = createAttempts({ inside, outcomes, around, concurrency, name: jobs.name });
  const buffer = sizeBuffer(prefetch, clock);
  const ended = new AbortController();
  const drainedWaiters = new Set<() => void>();
  let isIdle = false;
  let background: Promise<unknown> | undefined;
  let stopping: Promise<void> | undefined;

  attempts.onRoom = () => {
    room.set();
    // What ended may have made room under a limit.
    if (limits !== undefined) work.set();
  };
  outcomes.onFlushed = () => {
    if (limits !== undefined) work.set();
  };

  const freeRoom = () => concurrency + buffer.size - attempts.running - attempts.waiting;

  const claim = async (max: number) => {
    const id = newId();
    const claimed = await calls.ask(
      () => store.claim({ lease: id, worker: workerName, max, leaseMs, tasks, limits }),
      // Nobody waits for it any more: what it brings goes back.
      (late) => outcomes.handBack(id, late.jobs),
    );
    for (const each of claimed?.lost ?? []) {
      lost.publish(jobs.name, { id: each.id, task: each.task, by: 'found' });
      logger.warn({ job: each.id, task: each.task }, 'a job was taken from a worker that is lost');
    }
    if (claimed !== undefined && claimed.jobs.length > 0) {
      if (ended.signal.aborted || stopping !== undefined) outcomes.handBack(id, claimed.jobs);
      else attempts.add(id, claimed.jobs);
    }
    return claimed;
  };

  const feed = async () => {
    let waitMs = firstMs;
    while (stopping === undefined) {
      const free = freeRoom();
      // Not for one slot at a time while others wait in the buffer.
      if (free < 1 || (attempts.waiting > 0 && free < (concurrency + buffer.size) / 2)) {
        await room.wait();
        continue;
      }
      work.clear();
      const asked = Math.min(free, mostAtOnce);
      // Who asks while a claim is under way is not answered by it: it may have looked before they enqueued.
      const asking = [...drainedWaiters];
      // An end that is told while a claim is under way may make a job ready that the claim did not see.
      const wasIdle = attempts.running + attempts.waiting === 0 && outcomes.isIdle();
      const claimed = await claim(asked);
      if (claimed === undefined) {
        await work.wait(calls.retryInMs());
        continue;
      }
      buffer.learn(claimed.jobs.length === asked, attempts);
      if (claimed.jobs.length > 0) waitMs = firstMs;
      if (claimed.jobs.length === asked) continue;
      if (claimed.jobs.length === 0 && attempts.running + attempts.waiting === 0) {
        await outcomes.idle();
        if (!wasIdle && asking.length > 0) continue;
        for (const resolve of asking) {
          drainedWaiters.delete(resolve);
          resolve();
        }
      }
      const { nextInMs = 0 } = claimed;
      isIdle = true;
      await work.wait(nextInMs > 0 ? Math.min(waitMs, nextInMs) : waitMs);
      isIdle = false;
      if (claimed.jobs.length === 0) waitMs = Math.min(longestMs, waitMs * 2);
    }
  };

  const beat = createSignal(clock);
  const heartbeats = async () => {
    while (!ended.signal.aborted) {
      await beat.wait(Math.min(leaseMs / 3, 2000));
      beat.clear();
      const held = outcomes.leases();
      if (held.length === 0) continue;
      const answer = await calls.ask(() => store.heartbeat(held, leaseMs));
      if (answer !== undefined) attempts.heed(answer);
    }
  };
  const purges = async () => {
    while (!ended.signal.aborted) {
      await clock.sleep(purgeEveryMs, ended.signal);
      await calls.ask(() => store.purge());
    }
  };

  const run = () => {
    const forget = wakeUps.listen((jobCount) => {
      const hasRoom = isIdle && freeRoom() >= jobCount;
      if (jobCount === 0) beat.set();
      work.set();
      return hasRoom;
    });
    const listening = listen
      ? keepListening({ store, clock, logger, onWake: () => work.set(), signal: ended.signal })
      : undefined;
    return Promise.all([feed(), heartbeats(), purges().catch(() => {}), listening]).finally(forget);
  };
  const stop = async (graceMs: number) => {
    work.set();
    room.set();
    attempts.handBackWaiting();
    const inTime = new AbortController();
    await Promise.race([
      attempts.none().then(() => inTime.abort('done')),
      clock.sleep(graceMs, inTime.signal).catch(() => {}),
    ]);
    attempts.handBackRunning();
    await outcomes.idle(leaseMs);
    ended.abort('stopped');
    beat.set();
    await background;
    // What a claim brought that was under way meanwhile was handed back.
    await outcomes.idle(leaseMs);
  };

  const worker: Worker = {
    get running() {
      return attempts.running;
    },
    start() {
      background ??= run();
    },
    async stop({ graceMs = 10_000 } = {}) {
      if (background === undefined) return;
      await (stopping ??= stop(graceMs));
    },
    drained: () =>
      new Promise((resolve) => {
        drainedWaiters.add(resolve);
        work.set();
      }),
    [Symbol.asyncDispose]: () => worker.stop(),
  };
  return worker;
}
