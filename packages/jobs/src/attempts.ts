import { afterCommit, type Trx } from '@svc/db';
import * as v from 'valibot';
import type { AttemptContext } from './attempt.ts';
import { cancelled, completed, dead, failed, lost, retried, started } from './events.ts';
import { JobLost } from './failures.ts';
import { requireFlows } from './flows.ts';
import type { JobsInside } from './jobs.ts';
import type { Outcomes } from './outcomes.ts';
import { delayAfter, exponential, messageOf } from './retry.ts';
import type { Heartbeat, LeasedJob, Outcome } from './store.ts';
import type { AnyTask } from './task.ts';

type Ending =
  | { kind: 'done'; result: string | null }
  | { kind: 'retry'; delayMs: number; error: string }
  | { kind: 'dead'; error: string }
  | { kind: 'cancelled' | 'back' | 'released' };

interface Attempt {
  readonly lease: string;
  readonly job: LeasedJob;
  readonly addedAtMs: number;
  hasEnded: boolean;
  isCancelled: boolean;
  /** `complete` was called, and whether its transaction has committed. */
  completion: 'none' | 'written' | 'committed';
  abort(reason: unknown): void;
}

export interface AttemptsOptions {
  readonly inside: JobsInside;
  readonly outcomes: Outcomes;
  readonly around:
    | ((context: AttemptContext, run: () => Promise<unknown>) => Promise<unknown>)
    | undefined;
  readonly concurrency: number;
  readonly name: string;
}

const defaultBackoff = exponential();
const mostResultBytes = 65_536;

/** Runs leased jobs, so many at once, and says how they ended. */
export function createAttempts({ inside, outcomes, around, concurrency, name }: AttemptsOptions) {
  const { store, tasks, clock, logger, random } = inside;
  const running = new Map<string, Attempt>();
  let waiting: Attempt[] = [];
  let firstWaiting = 0;
  let lastWaitedMs = 0;
  const noneWaiters = new Set<() => void>();

  const end = (attempt: Attempt, ending: Ending): boolean => {
    if (attempt.hasEnded) return false;
    attempt.hasEnded = true;
    const { lease, job } = attempt;
    outcomes.add({ lease, id: job.id, ...ending } as Outcome, job.task);
    return true;
  };
  const endCancelled = (attempt: Attempt) => {
    const { id, task } = attempt.job;
    if (end(attempt, { kind: 'cancelled' })) cancelled.publish(name, { id, task });
  };
  const leave = (attempt: Attempt) => {
    if (running.get(attempt.job.id) === attempt) running.delete(attempt.job.id);
    fill();
    attempts.onRoom();
    if (running.size > 0) return;
    for (const resolve of noneWaiters) resolve();
    noneWaiters.clear();
  };
  const fill = () => {
    while (running.size < concurrency && firstWaiting < waiting.length) {
      const attempt = waiting[firstWaiting] as Attempt;
      firstWaiting += 1;
      if (attempt.hasEnded) continue;
      lastWaitedMs = clock.elapsedMs() - attempt.addedAtMs;
      running.set(attempt.job.id, attempt);
      void begin(attempt);
    }
    if (firstWaiting === waiting.length && firstWaiting > 0) {
      waiting = [];
      firstWaiting = 0;
    }
  };
  const begin = async (attempt: Attempt) => {
    const { job } = attempt;
    const task = tasks.get(job.task);
    const parsed = task === undefined ? undefined : v.safeParse(task.payload, job.payload);
    if (task === undefined) giveUp(attempt, `no task is called ${job.task}`);
    else if (parsed?.success !== true) giveUp(attempt, 'the payload does not fit its task');
    else await run(attempt, task, parsed.output);
    leave(attempt);
  };
  const giveUp = (attempt: Attempt, message: string) => {
    const { id, task, attempts: count } = attempt.job;
    if (!end(attempt, { kind: 'dead', error: message })) return;
    logger.error({ job: id, task, attempt: count, reason: message }, 'a job is a dead letter');
    dead.publish(name, { id, task, attempt: count, message });
  };

  const run = async (attempt: Attempt, task: AnyTask, payload: unknown) => {
    const { job } = attempt;
    const beganAtMs = clock.elapsedMs();
    const reference = referenceOf(job);
    const waitedMs = Math.max(0, clock.now().getTime() - job.enqueuedAt.getTime());
    started.publish(name, { ...reference, waitedMs });
    const context = contextOf(attempt);
    const timer = watchTime(attempt, task);
    try {
      const work = async () => task.run(payload, context);
      const result = await (around === undefined ? work() : around(context, work));
      const ranMs = clock.elapsedMs() - beganAtMs;
      if (attempt.completion === 'written')
        throw new TypeError('the transaction that completed the job did not commit');
      const ending: Ending =
        attempt.completion === 'committed'
          ? { kind: 'released' }
          : { kind: 'done', result: toResult(job, result) };
      if (end(attempt, ending)) completed.publish(name, { ...reference, ranMs });
    } catch (error) {
      fail(attempt, task, error, clock.elapsedMs() - beganAtMs);
    } finally {
      timer?.abort('ended');
    }
  };
  const fail = (attempt: Attempt, task: AnyTask, error: unknown, ranMs: number) => {
    const { job } = attempt;
    if (attempt.hasEnded) return;
    if (attempt.isCancelled) return endCancelled(attempt);
    // A transaction whose COMMIT got no answer may have completed it: then the store refuses what is said here.
    const message = messageOf(error);
    failed.publish(name, { ...referenceOf(job), ranMs, message });
    const { attempts, maxAttempts } = job;
    const backoff = task.backoff ?? defaultBackoff;
    const delayMs = delayAfter(error, attempts, maxAttempts, backoff, random);
    if (delayMs === undefined) return giveUp(attempt, message);
    const fields = { job: job.id, task: job.task, attempt: attempts, delayMs, err: error };
    logger.warn(fields, 'an attempt failed and is retried');
    end(attempt, { kind: 'retry', delayMs, error: message });
    retried.publish(name, { ...referenceOf(job), delayMs });
  };
  const watchTime = (attempt: Attempt, task: AnyTask): AbortController | undefined => {
    const { timeoutMs } = attempt.job.attributes;
    if (timeoutMs === undefined) return undefined;
    const timer = new AbortController();
    clock.sleep(timeoutMs, timer.signal).then(
      () => {
        const error = new Error(`it did not end within ${timeoutMs} ms`);
        error.name = 'TimeoutError';
        fail(attempt, task, error, timeoutMs);
        attempt.abort(error);
        // Its slot is free: a handler that does not heed its signal must not stop the worker.
        leave(attempt);
      },
      () => {}, // It ended in time.
    );
    return timer;
  };
  const toResult = ({ id, task, attributes }: LeasedJob, result: unknown): string | null => {
    if (result === undefined || attributes.keepMs === undefined) return null;
    try {
      const json = JSON.stringify(result) as string | undefined;
      if (json !== undefined && Buffer.byteLength(json) <= mostResultBytes) return json;
    } catch {
      // Said below: the work is done all the same.
    }
    logger.warn({ job: id, task }, 'the result of a job is too large or no JSON, and is not kept');
    return null;
  };

  const contextOf = (attempt: Attempt): AttemptContext => {
    const { lease, job } = attempt;
    let controller: AbortController | undefined;
    let child: typeof logger | undefined;
    // Both are made when somebody asks: most handlers want neither, and they cost more than an attempt.
    const signalOf = () => (controller ??= new AbortController());
    attempt.abort = (reason) => signalOf().abort(reason);
    const context: AttemptContext = {
      id: job.id,
      task: job.task,
      attempt: job.attempts,
      maxAttempts: job.maxAttempts,
      group: job.group,
      enqueuedAt: job.enqueuedAt,
      tenantId: job.attributes.tenantId ?? null,
      traceparent: job.attributes.traceparent ?? null,
      get signal() {
        return signalOf().signal;
      },
      get logger() {
        return (child ??= logger.child({ job: job.id, task: job.task, attempt: job.attempts }));
      },
      awaited: async () => requireFlows(store).awaited(job.id),
      async progress(value) {
        try {
          if (!attempt.hasEnded) await store.progress(lease, job.id, JSON.stringify(value ?? null));
        } catch (error) {
          logger.warn({ job: job.id, err: error }, 'the progress of a job was not kept');
        }
      },
      async complete({ within, result }) {
        if (store.joins !== true)
          throw new TypeError('a job of this store cannot be completed in a transaction');
        if (attempt.hasEnded) throw new JobLost();
        attempt.completion = 'written';
        afterCommit(within, () => void (attempt.completion = 'committed'));
        const isDone = await store.complete(lease, job.id, toResult(job, result), within);
        if (!isDone) throw new JobLost();
      },
      transact(fn) {
        if (store.transact === undefined)
          throw new TypeError('a job of this store cannot be completed in a transaction');
        return store.transact(async (trx: Trx) => {
          const result = await fn(trx);
          await context.complete({ within: trx, result });
          return result;
        });
      },
    };
    return context;
  };

  const attempts = {
    onRoom: () => {},
    get running() {
      return running.size;
    },
    get waiting() {
      return waiting.length - firstWaiting;
    },
    get lastWaitedMs() {
      return lastWaitedMs;
    },
    add(lease: string, jobs: readonly LeasedJob[]): void {
      outcomes.open(lease, jobs);
      const addedAtMs = clock.elapsedMs();
      for (const job of jobs)
        waiting.push({
          lease,
          job,
          addedAtMs,
          hasEnded: false,
          isCancelled: false,
          completion: 'none',
          abort: () => {},
        });
      fill();
    },
    /** Ends what a heartbeat says is over. */
    heed({ lost: leases, cancelled: ids }: Heartbeat): void {
      const gone = new Set(leases);
      for (const lease of leases) outcomes.drop(lease);
      if (gone.size > 0)
        for (const attempt of [...running.values(), ...waiting.slice(firstWaiting)]) {
          if (!gone.has(attempt.lease) || attempt.hasEnded) continue;
          attempt.hasEnded = true;
          const { id, task } = attempt.job;
          lost.publish(name, { id, task, by: 'noticed' });
          logger.warn({ job: id, task }, 'a job was lost: its lease was not renewed in time');
          attempt.abort(new JobLost());
        }
      for (const id of ids) {
        const attempt = running.get(id) ?? waiting.find(({ job }) => job.id === id);
        if (attempt === undefined || attempt.hasEnded || attempt.isCancelled) continue;
        attempt.isCancelled = true;
        if (running.has(id)) attempt.abort(new Error('the job was cancelled'));
        else endCancelled(attempt);
      }
    },
    /** Resolves when nothing runs. */
    none: () =>
      new Promise<void>((resolve) => {
        if (running.size === 0) return resolve();
        noneWaiters.add(resolve);
      }),
    handBackWaiting(): void {
      const rest = waiting.slice(firstWaiting);
      waiting = [];
      firstWaiting = 0;
      for (const attempt of rest) end(attempt, { kind: 'back' });
    },
    handBackRunning(): void {
      for (const attempt of running.values()) {
        if (attempt.completion === 'none') {
          if (attempt.isCancelled) endCancelled(attempt);
          else end(attempt, { kind: 'back' });
        }
        attempt.abort(new Error('the worker stops'));
      }
    },
  };
  return attempts;
}

const referenceOf = (job: LeasedJob) => ({
  id: job.id,
  task: job.task,
  attempt: job.attempts,
  group: job.group,
  tenantId: job.attributes.tenantId ?? null,
  traceparent: job.attributes.traceparent ?? null,
});
