import type { Trx } from '@svc/db';
import type {
  AwaitedCounts,
  AwaitedJob,
  Job,
  JobError,
  JobState,
  OnFailure,
  UniqueUntil,
} from './job.ts';

/** A job to be stored. */
export interface NewJob {
  readonly id: string;
  readonly task: string;
  /** JSON. */
  readonly payload: string;
  readonly priority: number;
  readonly group: string | null;
  /** What it costs its group: 1000 divided by the group's weight. */
  readonly cost: number;
  readonly maxAttempts: number;
  /** After so many milliseconds of the store's clock it may start; 0 is at once. */
  readonly delayMs: number;
  /** In place of `delayMs`: not before this hour of the store's clock. */
  readonly runAt: Date | null;
  readonly attributes: JobAttributes;
  /** It waits for these, each once, in the order in which their results are wanted. @default none */
  readonly after?: readonly string[];
}

/** What belongs to a job and decides nothing in a claim. Absent is none. */
export interface JobAttributes {
  readonly uniqueKey?: string;
  readonly uniqueUntil?: UniqueUntil;
  readonly timeoutMs?: number;
  /** How long its record is kept when it is done; 0 keeps none. */
  readonly keepMs?: number;
  readonly tenantId?: string;
  readonly traceparent?: string;
  /** What it does when a job that it is `after` does not end well. @default 'wait' */
  readonly onFailure?: OnFailure;
}

/** What became of a job that was enqueued: the id of the one that has the unique key, where it is taken. */
export interface Enqueued {
  readonly id: string;
  readonly isDuplicate: boolean;
}

/** A job that this lease alone may run. */
export interface LeasedJob {
  readonly id: string;
  readonly task: string;
  readonly payload: unknown;
  readonly priority: number;
  readonly group: string | null;
  /** This one included. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly enqueuedAt: Date;
  readonly errors: readonly JobError[];
  readonly attributes: JobAttributes;
}

/** At most so many starts in so long, spread over it, after a burst of `quota` (GCRA). */
export interface Rate {
  readonly quota: number;
  readonly perMs: number;
}

export interface Limit {
  readonly concurrency?: number;
  readonly rate?: Rate;
}

/** What holds over all workers. A limit is exact as long as every worker is given the same ones. */
export interface Limits {
  /** Over all jobs. */
  readonly global?: Limit;
  readonly tasks: Readonly<Record<string, Limit>>;
  /** For every group that has none of its own. */
  readonly eachGroup?: Limit;
  readonly groups: Readonly<Record<string, Limit>>;
}

export interface ClaimRequest {
  /** A UUID of this claim alone: the lease, and the fencing token of each of its jobs. */
  readonly lease: string;
  readonly worker: string;
  readonly max: number;
  readonly leaseMs: number;
  /** `undefined` is every task. */
  readonly tasks: readonly string[] | undefined;
  readonly limits: Limits | undefined;
}

export interface Claim {
  /** Empty: then there is no lease. */
  readonly jobs: readonly LeasedJob[];
  /** Jobs whose worker was lost, which this claim found: they are ready again, or dead, or cancelled as was asked. */
  readonly lost: readonly {
    readonly id: string;
    readonly task: string;
    readonly isDead: boolean;
  }[];
  /** After so long a job may become ready; `undefined` where none is known to. */
  readonly nextInMs: number | undefined;
}

/** How an attempt ended. */
export type Outcome = {
  readonly lease: string;
  readonly id: string;
} & (
  | { readonly kind: 'done'; /** JSON. */ readonly result: string | null }
  | { readonly kind: 'retry'; readonly delayMs: number; readonly error: string }
  | { readonly kind: 'dead'; readonly error: string }
  | { readonly kind: 'cancelled' }
  /** It did not begin, or was interrupted by the worker's end: the attempt does not count. */
  | { readonly kind: 'back' }
  /** It was `complete`d before: nothing is left but to count it out of the limits. */
  | { readonly kind: 'released' }
);

export interface Heartbeat {
  /** Leases that are over: what runs under them runs somewhere else, too. */
  readonly lost: readonly string[];
  /** Jobs that somebody wants to end. */
  readonly cancelled: readonly string[];
}

/** Which dead letters. */
export interface DeadFilter {
  readonly ids?: readonly string[];
  readonly task?: string;
  readonly group?: string;
  /** Dead since before. */
  readonly before?: Date;
}

export interface JobFilter {
  readonly state: JobState;
  readonly task?: string | undefined;
  readonly group?: string | undefined;
  readonly limit: number;
  /** Only ids below this one: the newest come first. */
  readonly below?: string;
}

export interface TableFigures {
  readonly name: string;
  readonly live: number;
  /** Versions that vacuum has not removed. */
  readonly dead: number;
  readonly bytes: number;
}

export interface JobStats {
  readonly tasks: Readonly<Record<string, Readonly<Partial<Record<JobState, number>>>>>;
  readonly paused: readonly string[];
  /** How long the job that waits longest has been ready. */
  readonly oldestReadyMs: number;
  /** Workers that hold a lease. */
  readonly workers: number;
  /** Of a store that has tables. */
  readonly tables: readonly TableFigures[];
  /** How old the oldest snapshot is that keeps vacuum from its work. */
  readonly oldestSnapshotMs: number;
}

/**
 * Keeps jobs. Promises of every store:
 *
 * - `enqueue` stores all of them or none, in order. Of any number at once with one unique key exactly one is stored, until
 *   the moment that `uniqueUntil` says; the others are told its id.
 * - `claim` gives each ready job to one lease only, by the store's own clock: higher priorities first, then groups in turn
 *   by their weight, then who came first. A claim counts as an attempt. It makes due jobs ready and takes back expired leases.
 * - Limits hold for all claims together, at any moment: never is one more running or started than they say.
 * - A lease ends when it is `finish`ed job by job, or when it is not renewed in time: then what it left unfinished is ready
 *   again at once, or dead where that was the last attempt.
 * - A running job that was `cancel`led does not run again: where it would be ready again, or scheduled for a retry, it is
 *   cancelled.
 * - `finish` and `complete` do something only for a job whose lease is still there and which has no outcome yet. They say for
 *   which they did not: so what is late cannot end a job that somebody else runs.
 * - A store that joins does `enqueue` and `complete` `within` a transaction of the caller: with its rollback nothing was.
 * - A dead letter keeps its payload and errors until it is replayed or purged. No store puts an error's stack anywhere.
 * - Of a store with `flows`, a job that is `after` others is ready, or scheduled where its hour is still to come, from the
 *   very step on in which the last of them ended: once, whatever ends at the same time. A dead letter counts as an ending only
 *   for those who `run` on failure; those who `wait` do so until it is replayed and done, those who `fail` are dead letters
 *   in the same step, and so are both where one was cancelled or purged. With an id there is no record of, `enqueue` stores
 *   nothing and throws `JobNotFound`. A dead letter that is replayed waits again for what is not done. Those who listen are
 *   woken when a job that was `finish`ed was the last that another waited for.
 * - Each rejects when the store cannot be asked; asking again is safe, but for `enqueue` with new ids.
 */
export interface JobStore {
  /** Whether it can be part of the caller's transaction; `enqueue` where only jobs that are enqueued can. */
  readonly joins: boolean | 'enqueue';
  enqueue(jobs: readonly NewJob[], within?: Trx): Promise<readonly Enqueued[]>;
  claim(request: ClaimRequest): Promise<Claim>;
  /** The leases begin anew. */
  heartbeat(leases: readonly string[], leaseMs: number): Promise<Heartbeat>;
  /** Gives those it refused. `closed` are leases of which every job has an outcome, in this call or before. */
  finish(outcomes: readonly Outcome[], closed: readonly string[]): Promise<readonly Outcome[]>;
  /** Makes a job done in the transaction of its handler; gives whether it did. */
  complete(lease: string, id: string, result: string | null, within: Trx): Promise<boolean>;
  /** Remembers what a handler reports, as long as the job runs. JSON. */
  progress(lease: string, id: string, value: string): Promise<void>;
  get(id: string): Promise<Job | undefined>;
  list(filter: JobFilter): Promise<readonly Job[]>;
  /** Ends a job that waits; asks for the end of one that runs. Gives the state it was in, `undefined` where it is not known. */
  cancel(id: string, within?: Trx): Promise<JobState | undefined>;
  /** Makes a scheduled or dead job ready now, the dead one with fresh attempts. Gives the state it was in. */
  retry(id: string, within?: Trx): Promise<JobState | undefined>;
  replayDead(filter: DeadFilter, limit: number): Promise<number>;
  purgeDead(filter: DeadFilter, limit: number): Promise<number>;
  /** Nothing of the task is claimed until it is resumed; `*` is every task. */
  pause(task: string): Promise<void>;
  resume(task: string): Promise<void>;
  stats(): Promise<JobStats>;
  /** Removes records of done and cancelled jobs whose time is over; gives how many. */
  purge(): Promise<number>;
  /** Tells every process that there may be work. Never within a transaction. */
  wake(): Promise<void>;
  /**
   * Calls `onWake` whenever some process says that there may be work, until disposed or, told by `onLost`, the way to the
   * store is gone. Best effort: workers ask now and then all the same.
   */
  listen(onWake: () => void, onLost: () => void): Promise<AsyncDisposable>;
  /** Absent where it cannot keep jobs that wait for others. */
  readonly flows?: FlowStore;
  /** Runs `fn` in a transaction of its own, of a store that joins. */
  transact?<T>(fn: (trx: Trx) => Promise<T>): Promise<T>;
}

/** What a store knows of the jobs that one waits for, as long as there is a record of that one. */
export interface FlowStore {
  /** In the order in which they were given; none of a job that waits for none. */
  awaited(id: string): Promise<readonly AwaitedJob[]>;
  countAwaited(id: string): Promise<AwaitedCounts>;
}
