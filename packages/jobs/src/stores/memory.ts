import { type Clock, systemClock } from '@svc/core';
import type { JobState } from '../job.ts';
import type { Claim, ClaimRequest, DeadFilter, JobStore, NewJob, Outcome } from '../store.ts';
import { createFlows } from './memory-flows.ts';
import { type Kept, toJob, toLeased } from './memory-jobs.ts';
import { createLimiter } from './memory-limits.ts';
import { createTurns } from './memory-turns.ts';

export interface MemoryStoreOptions {
  /** @default systemClock */
  clock?: Clock;
}

interface Lease {
  readonly worker: string;
  expiresAtMs: number;
  readonly jobs: Map<string, Kept>;
  readonly cancelled: Set<string>;
}

const mostErrors = 25;

/** Keeps jobs in this process, by `clock`, with every promise but one: it cannot join a transaction. A process that ends forgets them. */
export function memoryStore({ clock = systemClock }: MemoryStoreOptions = {}): JobStore {
  const all = new Map<string, Kept>();
  const ready = new Set<Kept>();
  const scheduled = new Set<Kept>();
  const leases = new Map<string, Lease>();
  const uniqueKeys = new Map<string, string>();
  const paused = new Set<string>();
  const listeners = new Set<() => void>();
  const turns = createTurns();
  const limiter = createLimiter();
  let released = false;
  let order = 0;
  const nowMs = () => clock.now().getTime();

  const makeReady = (job: Kept, where: 'front' | 'tail') => {
    scheduled.delete(job);
    job.turn = where === 'front' ? turns.first(job) : turns.last(job);
    job.state = 'ready';
    ready.add(job);
  };
  const freeKey = ({ id, attributes: { uniqueKey } }: Kept) => {
    if (uniqueKey !== undefined && uniqueKeys.get(uniqueKey) === id) uniqueKeys.delete(uniqueKey);
  };
  const addError = (job: Kept, message: string) => {
    if (job.errors.length >= mostErrors) job.errors.splice(1, 1);
    job.errors.push({ attempt: job.attempts, at: clock.now(), message });
  };
  const remove = (job: Kept) => {
    all.delete(job.id);
    freeKey(job);
    flows.forget(job.id);
  };
  const finish = (job: Kept, state: 'done' | 'cancelled', result: string | null) => {
    const { keepMs = 0, uniqueUntil } = job.attributes;
    ready.delete(job);
    scheduled.delete(job);
    job.progress = undefined;
    Object.assign(job, { state, result, finishedAt: clock.now(), expiresAtMs: nowMs() + keepMs });
    if (uniqueUntil !== 'removed' || keepMs === 0) freeKey(job);
    flows.end(job.id, state, result);
    if (keepMs === 0) remove(job);
  };
  const bury = (job: Kept, message: string) => {
    addError(job, message);
    job.progress = undefined;
    job.state = 'dead';
    job.finishedAt = clock.now();
    if (job.attributes.uniqueUntil !== 'removed') freeKey(job);
    flows.end(job.id, 'dead');
  };
  const begin = (job: Kept) => {
    if (job.runAtMs <= nowMs()) return makeReady(job, 'tail');
    job.state = 'scheduled';
    scheduled.add(job);
  };
  const { flows: ofFlows, ...flows } = createFlows((id) => all.get(id), {
    release(job) {
      begin(job);
      released = true;
    },
    bury: (job) => bury(job, 'A job that it waited for did not end well.'),
  });
  const takeBack = (): Claim['lost'] => {
    const lost: { id: string; task: string; isDead: boolean }[] = [];
    for (const [id, lease] of leases) {
      if (lease.expiresAtMs > nowMs()) continue;
      leases.delete(id);
      for (const job of lease.jobs.values()) {
        job.release?.();
        job.lease = undefined;
        const isCancelled = lease.cancelled.has(job.id);
        const isDead = !isCancelled && job.attempts >= job.maxAttempts;
        const message = 'The worker that ran it was lost.';
        if (isDead) bury(job, message);
        else {
          addError(job, message);
          job.progress = undefined;
          if (isCancelled) finish(job, 'cancelled', null);
          else makeReady(job, 'front');
        }
        lost.push({ id: job.id, task: job.task, isDead });
      }
    }
    return lost;
  };
  const promote = () => {
    const due = [...scheduled].filter(({ runAtMs }) => runAtMs <= nowMs());
    due.sort((a, b) => a.runAtMs - b.runAtMs || a.order - b.order);
    for (const job of due) makeReady(job, job.attempts > 0 ? 'front' : 'tail');
  };
  /** Ends one job of a lease, cancelled or not; `undefined` where it has no say. */
  const settle = (leaseId: string, id: string) => {
    const lease = leases.get(leaseId);
    const job = lease?.jobs.get(id);
    if (lease === undefined || job === undefined) return undefined;
    lease.jobs.delete(id);
    const isCancelled = lease.cancelled.delete(id);
    if (lease.jobs.size === 0) leases.delete(leaseId);
    job.lease = undefined;
    job.release?.();
    return { job, isCancelled };
  };
  const apply = (job: Kept, outcome: Outcome, isCancelled: boolean) => {
    if (outcome.kind === 'done') finish(job, 'done', outcome.result);
    else if (outcome.kind === 'dead') bury(job, outcome.error);
    else if (outcome.kind === 'cancelled' || isCancelled) finish(job, 'cancelled', null);
    else if (outcome.kind === 'retry') {
      addError(job, outcome.error);
      job.progress = undefined;
      job.state = 'scheduled';
      job.runAtMs = nowMs() + outcome.delayMs;
      scheduled.add(job);
    } else {
      job.attempts -= 1;
      job.progress = undefined;
      makeReady(job, 'front');
    }
  };
  const inTurn = () =>
    [...ready].sort((a, b) => b.priority - a.priority || a.turn - b.turn || a.order - b.order);

  const claim = ({ lease, worker, max, leaseMs, tasks, limits }: ClaimRequest): Claim => {
    const lost = takeBack();
    promote();
    const taken: Kept[] = [];
    let nextInMs = Infinity;
    for (const job of max > 0 && !paused.has('*') ? inTurn() : []) {
      if (taken.length >= max) break;
      if (paused.has(job.task) || tasks?.includes(job.task) === false) continue;
      const begun = limiter.begin(limits, job.task, job.group, nowMs());
      if ('waitMs' in begun) nextInMs = Math.min(nextInMs, begun.waitMs);
      else {
        job.release = begun.end;
        taken.push(job);
      }
    }
    for (const job of taken) {
      ready.delete(job);
      Object.assign(job, { state: 'running', lease, attempts: job.attempts + 1 });
      turns.pass(job);
      if (job.attributes.uniqueUntil === 'started') freeKey(job);
    }
    if (taken.length > 0)
      leases.set(lease, {
        worker,
        expiresAtMs: nowMs() + leaseMs,
        jobs: new Map(taken.map((job) => [job.id, job])),
        cancelled: new Set(),
      });
    for (const { runAtMs } of scheduled) nextInMs = Math.min(nextInMs, runAtMs - nowMs());
    for (const { expiresAtMs } of leases.values())
      nextInMs = Math.min(nextInMs, expiresAtMs - nowMs());
    const known = Number.isFinite(nextInMs) ? Math.max(0, nextInMs) : undefined;
    return { jobs: taken.map(toLeased), lost, nextInMs: known };
  };
  const deadOnes = ({ ids, task, group, before }: DeadFilter, limit: number) =>
    [...all.values()]
      .filter(
        (job) =>
          job.state === 'dead' &&
          (ids === undefined || ids.includes(job.id)) &&
          (task === undefined || job.task === task) &&
          (group === undefined || job.group === group) &&
          (before === undefined || (job.finishedAt ?? before) < before),
      )
      .sort((a, b) => Number(a.finishedAt) - Number(b.finishedAt) || a.order - b.order)
      .slice(0, limit);
  const replay = (job: Kept) => {
    const { uniqueKey } = job.attributes;
    if (uniqueKey !== undefined && !uniqueKeys.has(uniqueKey)) uniqueKeys.set(uniqueKey, job.id);
    job.attempts = 0;
    job.finishedAt = null;
    job.runAtMs = nowMs();
    if (flows.reopen(job)) job.state = 'waiting';
    else makeReady(job, 'tail');
  };
  const find = (id: string): Kept | undefined => all.get(id);
  const wake = () => {
    for (const listener of listeners) listener();
  };
  const enqueueOne = (job: NewJob) => {
    const { uniqueKey } = job.attributes;
    const other = uniqueKey === undefined ? undefined : uniqueKeys.get(uniqueKey);
    if (other !== undefined) return { id: other, isDuplicate: true };
    if (uniqueKey !== undefined) uniqueKeys.set(uniqueKey, job.id);
    order += 1;
    const kept: Kept = {
      ...job,
      order,
      enqueuedAt: clock.now(),
      state: 'waiting',
      attempts: 0,
      turn: 0,
      runAtMs: job.runAt?.getTime() ?? nowMs() + job.delayMs,
      errors: [],
      finishedAt: null,
      expiresAtMs: 0,
      result: null,
      progress: undefined,
      lease: undefined,
      release: undefined,
    };
    all.set(job.id, kept);
    if (job.after === undefined) begin(kept);
    else {
      flows.add(job.id, job.after);
      flows.resolve(kept);
    }
    return { id: job.id, isDuplicate: false };
  };

  return {
    joins: false,
    async enqueue(jobs) {
      flows.requireAll(jobs);
      return jobs.map(enqueueOne);
    },
    claim: async (request) => claim(request),
    async heartbeat(ids, leaseMs) {
      const alive = ids.flatMap((id) => leases.get(id) ?? []);
      for (const lease of alive) lease.expiresAtMs = nowMs() + leaseMs;
      return {
        lost: ids.filter((id) => !leases.has(id)),
        cancelled: alive.flatMap(({ cancelled }) => [...cancelled]),
      };
    },
    async finish(outcomes) {
      released = false;
      const refused = outcomes.filter((outcome) => {
        if (outcome.kind === 'released') return false;
        const settled = settle(outcome.lease, outcome.id);
        if (settled === undefined) return true;
        apply(settled.job, outcome, settled.isCancelled);
        return false;
      });
      if (released) wake();
      return refused;
    },
    complete: () => Promise.reject(new TypeError('this store cannot join a transaction')),
    async progress(lease, id, value) {
      const job = find(id);
      if (job?.lease === lease) job.progress = value;
    },
    async get(id) {
      const job = find(id);
      return job === undefined ? undefined : toJob(job);
    },
    async list({ state, task, group, limit, below }) {
      return [...all.values()]
        .filter(
          (job) =>
            job.state === state &&
            (task === undefined || job.task === task) &&
            (group === undefined || job.group === group) &&
            (below === undefined || job.id < below),
        )
        .sort((a, b) => (a.id < b.id ? 1 : -1))
        .slice(0, limit)
        .map(toJob);
    },
    async cancel(id) {
      const job = find(id);
      const state = job?.state;
      if (job !== undefined && (state === 'waiting' || state === 'ready' || state === 'scheduled'))
        finish(job, 'cancelled', null);
      else if (state === 'running') leases.get(job?.lease ?? '')?.cancelled.add(id);
      return state;
    },
    async retry(id) {
      const job = find(id);
      const state = job?.state;
      if (job !== undefined && state === 'scheduled')
        makeReady(job, job.attempts > 0 ? 'front' : 'tail');
      else if (job !== undefined && state === 'dead') replay(job);
      return state;
    },
    async replayDead(filter, limit) {
      const found = deadOnes(filter, limit);
      for (const job of found) replay(job);
      return found.length;
    },
    async purgeDead(filter, limit) {
      const found = deadOnes(filter, limit);
      for (const job of found) {
        flows.end(job.id, 'purged');
        remove(job);
      }
      return found.length;
    },
    pause: async (task) => void paused.add(task),
    resume: async (task) => void paused.delete(task),
    async stats() {
      const tasks: Record<string, Partial<Record<JobState, number>>> = {};
      let oldestReadyMs = 0;
      for (const { task, state, enqueuedAt } of all.values()) {
        const counts = (tasks[task] ??= {});
        counts[state] = (counts[state] ?? 0) + 1;
        if (state === 'ready')
          oldestReadyMs = Math.max(oldestReadyMs, nowMs() - enqueuedAt.getTime());
      }
      return {
        tasks,
        paused: [...paused].sort(),
        oldestReadyMs,
        workers: new Set([...leases.values()].map(({ worker }) => worker)).size,
        tables: [],
        oldestSnapshotMs: 0,
      };
    },
    async purge() {
      let count = 0;
      for (const job of all.values()) {
        const isOver = job.state === 'done' || job.state === 'cancelled';
        if (!isOver || job.expiresAtMs > nowMs()) continue;
        remove(job);
        count += 1;
      }
      return count;
    },
    flows: ofFlows,
    wake: async () => wake(),
    async listen(onWake) {
      const listener = () => onWake();
      listeners.add(listener);
      return { [Symbol.asyncDispose]: async () => void listeners.delete(listener) };
    },
  };
}
