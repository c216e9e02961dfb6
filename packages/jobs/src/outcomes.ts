import { refused, returned } from './events.ts';
import type { JobsInside } from './jobs.ts';
import type { LeasedJob, Outcome } from './store.ts';
import type { StoreCalls } from './store-calls.ts';

/** Tells the store how attempts ended, many at a time, again and again until it knows. */
export interface Outcomes {
  onFlushed: () => void;
  /** A lease with so many jobs; it is kept until each of them has an outcome that the store knows. */
  open(lease: string, jobs: readonly LeasedJob[]): void;
  add(outcome: Outcome, task: string): void;
  /** Jobs of a claim that are not wanted. */
  handBack(lease: string, jobs: readonly LeasedJob[]): void;
  /** The lease is over: nothing of it is told. */
  drop(lease: string): void;
  /** Leases to be kept alive. */
  leases(): readonly string[];
  /** Whether everything is told. */
  isIdle(): boolean;
  /** Resolves when everything is told, or after so long. */
  idle(ms?: number): Promise<void>;
}

interface Told {
  readonly outcome: Outcome;
  readonly task: string;
  /** Of a call that failed nobody knows whether it was done. */
  isUncertain: boolean;
}

export function createOutcomes({
  calls,
  inside,
  name,
}: {
  calls: StoreCalls;
  inside: JobsInside;
  name: string;
}): Outcomes {
  const { store, clock, logger } = inside;
  const left = new Map<string, number>();
  let waiting: Told[] = [];
  let isFlushing = false;
  const idleWaiters = new Set<() => void>();

  const report = ({ outcome, task, isUncertain }: Told) => {
    const fields = { job: outcome.id, task, outcome: outcome.kind };
    if (isUncertain) return logger.debug(fields, 'an outcome was told twice');
    logger.warn(fields, 'an outcome came too late: the job belongs to another attempt');
    refused.publish(name, { id: outcome.id, task, outcome: outcome.kind });
  };
  const tell = async (batch: readonly Told[]): Promise<boolean> => {
    const counts = new Map<string, number>();
    for (const { outcome } of batch)
      counts.set(outcome.lease, (counts.get(outcome.lease) ?? 0) + 1);
    const closed = [...counts].flatMap(([lease, count]) =>
      left.get(lease) === count ? [lease] : [],
    );
    const outcomes = batch.map(({ outcome }) => outcome);
    const late = await calls.ask(() => store.finish(outcomes, closed));
    if (late === undefined) {
      for (const told of batch) told.isUncertain = true;
      return false;
    }
    for (const [lease, count] of counts) {
      const rest = (left.get(lease) ?? 0) - count;
      if (rest > 0) left.set(lease, rest);
      else left.delete(lease);
    }
    const isLate = new Set(late);
    for (const told of batch) {
      if (isLate.has(told.outcome)) report(told);
      else if (told.outcome.kind === 'back')
        returned.publish(name, { id: told.outcome.id, task: told.task });
    }
    return true;
  };
  const flush = async () => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      if (await tell(batch)) continue;
      // One lease may be held up by a transaction; the others are not to wait for it.
      const leases = Map.groupBy(batch, ({ outcome }) => outcome.lease);
      for (const [lease, own] of leases)
        if (left.has(lease) && !(await tell(own))) waiting.push(...own);
      if (waiting.length > 0) await clock.sleep(calls.retryInMs());
      waiting = waiting.filter(({ outcome }) => left.has(outcome.lease));
    }
    isFlushing = false;
    handlers.onFlushed();
    for (const resolve of idleWaiters) resolve();
    idleWaiters.clear();
  };
  const schedule = () => {
    if (isFlushing) return;
    isFlushing = true;
    // After all that ends in this turn of the loop: many jobs that are done at once are one call.
    process.nextTick(() => void flush());
  };

  const handlers: Outcomes = {
    onFlushed: () => {},
    open: (lease, jobs) => void left.set(lease, jobs.length),
    add(outcome, task) {
      waiting.push({ outcome, task, isUncertain: false });
      schedule();
    },
    handBack(lease, jobs) {
      left.set(lease, jobs.length);
      for (const { id, task } of jobs) handlers.add({ lease, id, kind: 'back' }, task);
    },
    drop(lease) {
      left.delete(lease);
      waiting = waiting.filter(({ outcome }) => outcome.lease !== lease);
    },
    leases: () => [...left.keys()],
    isIdle: () => !isFlushing && waiting.length === 0,
    async idle(ms) {
      if (handlers.isIdle()) return;
      const timer = new AbortController();
      await new Promise<void>((resolve) => {
        idleWaiters.add(resolve);
        if (ms !== undefined) clock.sleep(ms, timer.signal).then(resolve, () => {});
      });
      timer.abort('idle');
    },
  };
  return handlers;
}
