import {
  type Clock,
  type Duration,
  type Logger,
  type NewId,
  randomBytes,
  silentLogger,
  systemClock,
  toPage,
  uuidv7,
  isUuid,
  InvalidCursor,
} from '@svc/core';
import type { Trx } from '@svc/db';
import { createEnqueue } from './enqueue.ts';
import { cancelled } from './events.ts';
import { JobNotFound, JobStateConflict } from './failures.ts';
import { noneAwaited, requireFlows } from './flows.ts';
import type { AwaitedCounts, Job, JobState, OnFailure } from './job.ts';
import { toLimits } from './limits.ts';
import type { DeadFilter, Enqueued, JobStats, JobStore, Limits } from './store.ts';
import { type AnyTask, type PayloadOf, type RateOption, requireWhole } from './task.ts';
import { createWakeUps, type WakeUps } from './wake-ups.ts';

export interface Within {
  /** The caller's transaction, one of `transact`: with its rollback nothing was. */
  within?: Trx | undefined;
}

export interface EnqueueOptions extends Within {
  /** Not before this hour, by the store's clock. */
  runAt?: Date;
  /** Not before so long from now. */
  delay?: Duration;
  /** From 0, last, to 9, first. @default the task's */
  priority?: number;
  /** Groups take turns, by their weight. @default the tenant's id */
  group?: string;
  /** Jobs that have to end first: ids of `enqueue`. At most 10 000. */
  after?: readonly string[];
  /** When one of them is a dead letter: wait until it is replayed, fail as well, or run all the same. @default 'wait' */
  onFailure?: OnFailure;
  /** While another job has this key, nothing is stored and its id is given. At most 200 characters. */
  uniqueKey?: string;
  /** @default the task's */
  maxAttempts?: number;
  /** @default the task's */
  timeout?: Duration;
  /** Carried to the handler. @default what `context` of `createJobs` says */
  tenantId?: string;
  /** Carried to the handler. @default what `context` of `createJobs` says */
  traceparent?: string;
}

/** One of many to be enqueued. */
export interface BulkItem<Payload> extends Omit<EnqueueOptions, 'within'> {
  payload: Payload;
}

type TaskNamed<Tasks extends readonly AnyTask[], Name extends string> = Extract<
  Tasks[number],
  { name: Name }
>;

export interface ListOptions {
  state: JobState;
  task?: string | undefined;
  group?: string | undefined;
  /** From 1 to 1000. @default 50 */
  limit?: number | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
}

/** A queue: what is enqueued, looked up and steered. Workers run it. */
export interface Jobs<Tasks extends readonly AnyTask[] = readonly AnyTask[]> {
  /** What events call this instance. */
  readonly name: string;
  /** Stores a job; within a transaction it is run after the commit, never after a rollback. @throws {PayloadTooLarge} @throws {JobNotFound} when there is no record of a job in `after` @throws {TypeError} when task, payload or an option is not valid */
  enqueue<T extends Tasks[number]>(
    task: T,
    payload: PayloadOf<T>,
    options?: EnqueueOptions,
  ): Promise<Enqueued>;
  enqueue<Name extends Tasks[number]['name']>(
    task: Name,
    payload: PayloadOf<TaskNamed<Tasks, Name>>,
    options?: EnqueueOptions,
  ): Promise<Enqueued>;
  /** Stores all of them or none, in order. */
  enqueueMany<T extends Tasks[number]>(
    task: T,
    items: readonly BulkItem<PayloadOf<T>>[],
    options?: Within,
  ): Promise<readonly Enqueued[]>;
  enqueueMany<Name extends Tasks[number]['name']>(
    task: Name,
    items: readonly BulkItem<PayloadOf<TaskNamed<Tasks, Name>>>[],
    options?: Within,
  ): Promise<readonly Enqueued[]>;
  /** The job, as long as there is a record of it. */
  get(id: string): Promise<Job | undefined>;
  /** How far the jobs are that this one waits for, or waited for, as long as there is a record of it. */
  awaited(id: string): Promise<AwaitedCounts>;
  /** The newest first. */
  list(options: ListOptions): Promise<{ items: readonly Job[]; nextCursor: string | null }>;
  /** Removes a job that waits, and gives `cancelled`; asks a running one to end, and gives `running`. @throws {JobNotFound} @throws {JobStateConflict} when it has ended */
  cancel(id: string, options?: Within): Promise<'cancelled' | 'running'>;
  /** Makes a scheduled or dead job ready now. @throws {JobNotFound} @throws {JobStateConflict} */
  retry(id: string, options?: Within): Promise<void>;
  /** Makes dead letters ready, with fresh attempts, the oldest first; gives how many. */
  replayDead(filter?: DeadFilter & { limit?: number }): Promise<number>;
  /** Deletes dead letters; gives how many. */
  purgeDead(filter?: DeadFilter & { limit?: number }): Promise<number>;
  /** No job of the task starts until `resume`; without one, no job at all. */
  pause(task?: string): Promise<void>;
  resume(task?: string): Promise<void>;
  stats(): Promise<JobStats>;
  /** Removes the records of done and cancelled jobs whose time is over. Workers do it every minute. */
  purge(): Promise<number>;
  /** For `createWorker`. */
  readonly '~inside': JobsInside;
}

/** What a worker shares with the queue it works for. */
export interface JobsInside {
  readonly store: JobStore;
  readonly tasks: ReadonlyMap<string, AnyTask>;
  readonly limits: Limits | undefined;
  readonly wakeUps: WakeUps;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
  readonly random: () => number;
}

export interface LimitOption {
  concurrency?: number;
  rate?: RateOption;
}

export interface JobsOptions<Tasks extends readonly AnyTask[]> {
  /** `postgresStore(db)`, `memoryStore()`. */
  store: JobStore;
  /** Every task there is. */
  tasks: Tasks;
  /** Limits over all workers, beside those of the tasks. Give every process the same. @default none */
  limits?: {
    /** Of all jobs together. */
    global?: LimitOption;
    /** Of each group by itself. */
    eachGroup?: LimitOption;
    /** Of groups that have their own. */
    groups?: Readonly<Record<string, LimitOption>>;
  };
  /** How large a group's share is, above 0. @default 1 for each */
  weightOf?: (group: string) => number;
  /** What a job carries from where it is enqueued to its handler. @default nothing */
  context?: () => { tenantId?: string | undefined; traceparent?: string | undefined };
  /** How long the record of a job that is done is kept, with its result; `false` keeps none. @default '1d' */
  keepDone?: Duration | false;
  /** The most bytes of a payload as JSON. @default 65536 */
  maxPayloadBytes?: number;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
  /** From 0 up to 1, for the jitter of retries. @default the operating system's generator */
  random?: () => number;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'jobs' */
  name?: string;
}

const mostAtOnce = 10_000;

/** @throws {TypeError} when two tasks have one name, or an option is not usable. */
export function createJobs<const Tasks extends readonly AnyTask[]>(
  options: JobsOptions<Tasks>,
): Jobs<Tasks> {
  const { store, name = 'jobs', clock = systemClock, logger = silentLogger } = options;
  const tasks = new Map(options.tasks.map((task) => [task.name, task as AnyTask]));
  if (tasks.size < options.tasks.length) throw new TypeError('two tasks have the same name');
  const wakeUps = createWakeUps({ store, clock, logger });
  const inside: JobsInside = {
    store,
    tasks,
    limits: toLimits(options),
    wakeUps,
    clock,
    logger,
    newId: options.newId ?? uuidv7,
    random: options.random ?? randomFraction,
  };
  const { enqueue, enqueueMany } = createEnqueue(inside, options);

  return {
    name,
    '~inside': inside,
    enqueue: enqueue as Jobs<Tasks>['enqueue'],
    enqueueMany: enqueueMany as Jobs<Tasks>['enqueueMany'],
    get: async (id) => (isUuid(id) ? store.get(id) : undefined),
    awaited: async (id) => (isUuid(id) ? requireFlows(store).countAwaited(id) : noneAwaited),
    async list({ limit = 50, cursor, ...filter }) {
      requireWhole(limit, 1, 1000, 'limit');
      const below = cursor === undefined ? {} : { below: parseCursor(cursor) };
      const found = await store.list({ ...filter, ...below, limit: limit + 1 });
      return toPage(found, limit, ({ id }) => id);
    },
    async cancel(id, { within } = {}) {
      const state = isUuid(id) ? await store.cancel(id, within) : undefined;
      if (state === undefined) throw new JobNotFound();
      if (state === 'running') {
        wakeUps.wake(0, within);
        return state;
      }
      if (state !== 'waiting' && state !== 'scheduled' && state !== 'ready')
        throw new JobStateConflict({ state });
      cancelled.publish(name, { id, task: '' });
      // Who waited for it and runs all the same is ready now.
      if (store.flows !== undefined) wakeUps.wake(1, within);
      return 'cancelled';
    },
    async retry(id, { within } = {}) {
      const state = isUuid(id) ? await store.retry(id, within) : undefined;
      if (state === undefined) throw new JobNotFound();
      if (state !== 'scheduled' && state !== 'dead') throw new JobStateConflict({ state });
      wakeUps.wake(1, within);
    },
    async replayDead({ limit = mostAtOnce, ...filter } = {}) {
      const replayed = await store.replayDead(filter, limit);
      if (replayed > 0) wakeUps.wake(replayed);
      return replayed;
    },
    purgeDead: ({ limit = mostAtOnce, ...filter } = {}) => store.purgeDead(filter, limit),
    pause: (task = '*') => store.pause(task),
    async resume(task = '*') {
      await store.resume(task);
      wakeUps.wake(1);
    },
    stats: () => store.stats(),
    purge: () => store.purge(),
  };
}

const randomFraction = () => Buffer.from(randomBytes(4)).readUInt32BE(0) / 2 ** 32;

function parseCursor(cursor: string): string {
  if (!isUuid(cursor)) throw new InvalidCursor();
  return cursor;
}
