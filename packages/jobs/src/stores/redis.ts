import { JobNotFound } from '../failures.ts';
import type { Job, JobState } from '../job.ts';
import { jobStates } from '../job.ts';
import type {
  DeadFilter,
  Enqueued,
  JobFilter,
  JobStats,
  JobStore,
  NewJob,
  Outcome,
} from '../store.ts';
import { createScript, type RedisClient } from './redis-client.ts';
import {
  type LeasedWords,
  toAwaited,
  toAwaitedCounts,
  toJob,
  toLeased,
  toOutcomeWords,
  toWords,
} from './redis-jobs.ts';
import { listenInRedis } from './redis-listen.ts';
import { claimScript } from './redis-scripts/claim.ts';
import { enqueueScript } from './redis-scripts/enqueue.ts';
import { finishScript, heartbeatScript, progressScript } from './redis-scripts/finish.ts';
import { awaitedScript, countAwaitedScript } from './redis-scripts/flows.ts';
import { evictionScript, listScript, readScript, statsScript } from './redis-scripts/look.ts';
import {
  cancelScript,
  deadScript,
  pauseScript,
  purgeScript,
  retryScript,
} from './redis-scripts/steer.ts';
import { together } from './together.ts';

export { type Outbox, type OutboxOptions, withOutbox } from './outbox.ts';
export { redisScheduleStore, type RedisScheduleStoreOptions } from '../schedules/stores/redis.ts';
export type { RedisClient, RedisSubscriber } from './redis-client.ts';

export interface RedisStoreOptions {
  /** What all keys begin with, in braces: they are on one node of a cluster. @default 'svc:jobs' */
  prefix?: string;
}

/** Where jobs are moved to from elsewhere. */
export interface Moves {
  /** Later ones are higher; what comes with a lower one is refused. */
  readonly term: number;
  /** Ids of jobs that nobody will move again. */
  readonly settled: readonly string[];
}

/** A job store that can be given jobs again without storing them twice. */
export interface RedisJobStore extends JobStore {
  /**
   * As `enqueue`, but what was moved here before, in the last week, is not stored, whatever became of it, and a job that is
   * after one of which there is no record any more is a dead letter that says so.
   */
  move(jobs: readonly NewJob[], moves: Moves): Promise<void>;
}

const purgedAtOnce = 500;
const looksAtOnce = 500;
const deadAtOnce = 500;
const toldAtOnce = 1000;

/**
 * Keeps jobs in Redis 6.2 or later, by the server's clock; each call is one script. It keeps them as well as Redis does:
 * without an append-only file a crash of the server loses what came since its last snapshot. The client should fail fast
 * (`enableOfflineQueue: false`). Rejects with a `TypeError` where the server evicts keys that do not expire.
 */
export function redisStore(
  client: RedisClient,
  { prefix = 'svc:jobs' }: RedisStoreOptions = {},
): RedisJobStore {
  const base = `{${prefix}}:`;
  const channel = `${base}wake`;
  const script = (text: string) => createScript(client, base, text);
  const [storeNow, claimNow, finishNow] = [enqueueScript, claimScript, finishScript].map(
    script,
  ) as [Run, Run, Run];
  const [beat, report] = [script(heartbeatScript), script(progressScript)];
  const [cancelNow, retryNow] = [script(cancelScript), script(retryScript)];
  const [steerDead, purgeSome, setPause] = [deadScript, purgeScript, pauseScript].map(script) as [
    Run,
    Run,
    Run,
  ];
  const [read, listSome, count] = [readScript, listScript, statsScript].map(script) as [
    Run,
    Run,
    Run,
  ];
  const [readAwaited, countAwaited] = [script(awaitedScript), script(countAwaitedScript)];
  const requireMemory = onceItSucceeds(() => requireNoEviction(client, base));

  const store = async (
    jobs: readonly NewJob[],
    term: number | '',
    settled: readonly string[],
  ): Promise<readonly Enqueued[]> => {
    await requireMemory();
    const [holders, missing] = (await storeNow(
      JSON.stringify(jobs.map(toWords)),
      term,
      ...settled,
    )) as [string[], string[]];
    if (missing.length > 0) throw new JobNotFound({ missing });
    return jobs.map(({ id }, at) => {
      const holder = holders[at] as string;
      return holder === '' ? { id, isDuplicate: false } : { id: holder, isDuplicate: true };
    });
  };
  const storeSoon = together<readonly NewJob[], readonly Enqueued[]>(async (calls) => {
    const all = await store(calls.flat(), '', []);
    let at = 0;
    return calls.map((jobs) => all.slice(at, (at += jobs.length)));
  });
  const steer = async (act: 'replay' | 'purge', filter: DeadFilter, limit: number) => {
    const { ids, task = '', group = '', before } = filter;
    let total = 0;
    // What becomes a dead letter by a purge is none of those that were meant.
    let beforeMs: string | number | undefined = before?.getTime();
    for (let from = 0; total < limit;) {
      const some = ids?.slice(from, from + deadAtOnce);
      if (some?.length === 0) break;
      const words = [act, limit - total, from, task, group, beforeMs ?? ''];
      const [done, seen, at] = (await steerDead(...words, ...(some ?? []))) as [
        number,
        number,
        string,
      ];
      beforeMs ??= at;
      total += done;
      // What was done is no dead letter any more: those behind it moved up.
      from += ids === undefined ? seen - done : seen;
      if (seen < (some?.length ?? deadAtOnce)) break;
    }
    return total;
  };

  return {
    joins: false,
    async enqueue(jobs, within) {
      requireOutside(within);
      // What may be refused is not stored together with what others enqueue.
      const isPlain = jobs.length === 1 && jobs[0]?.after === undefined;
      return isPlain ? storeSoon(jobs) : store(jobs, '', []);
    },
    async move(jobs, { term, settled }) {
      await store(jobs, term, settled);
    },
    async claim({ lease, worker, max, leaseMs, tasks = [], limits }) {
      await requireMemory();
      const json = limits === undefined ? '' : JSON.stringify(limits);
      const [jobs, lost, next] = (await claimNow(lease, worker, max, leaseMs, json, ...tasks)) as [
        LeasedWords[],
        (string | number)[],
        string,
      ];
      return {
        jobs: jobs.map(toLeased),
        lost: Array.from({ length: lost.length / 3 }, (_, i) => ({
          id: String(lost[i * 3]),
          task: String(lost[i * 3 + 1]),
          isDead: lost[i * 3 + 2] === 1,
        })),
        nextInMs: next === '' ? undefined : Number(next),
      };
    },
    async heartbeat(leases, leaseMs) {
      const [lost, cancelled] = (await beat(leaseMs, ...leases)) as [string[], string[]];
      return { lost, cancelled };
    },
    async finish(outcomes) {
      const told = outcomes.filter(({ kind }) => kind !== 'released');
      const refused: Outcome[] = [];
      for (let from = 0; from < told.length; from += toldAtOnce) {
        const some = told.slice(from, from + toldAtOnce);
        const late = (await finishNow(...some.flatMap(toOutcomeWords))) as number[];
        refused.push(...late.map((at) => some[at] as Outcome));
      }
      return refused;
    },
    complete: () => Promise.reject(new TypeError('this store cannot join a transaction')),
    async progress(lease, id, value) {
      await report(lease, id, value);
    },
    get: async (id) => toJob(id, (await read(id)) as string[]),
    list: (filter) => list(listSome, filter),
    async cancel(id, within) {
      requireOutside(within);
      return ((await cancelNow(id)) ?? undefined) as JobState | undefined;
    },
    async retry(id, within) {
      requireOutside(within);
      return ((await retryNow(id)) ?? undefined) as JobState | undefined;
    },
    replayDead: (filter, limit) => steer('replay', filter, limit),
    purgeDead: (filter, limit) => steer('purge', filter, limit),
    async pause(task) {
      await setPause(1, task);
    },
    async resume(task) {
      await setPause(0, task);
    },
    stats: async () => toStats((await count(...jobStates)) as StatsWords),
    async purge() {
      let total = 0;
      for (let done = purgedAtOnce; done === purgedAtOnce; total += done)
        done = (await purgeSome(purgedAtOnce)) as number;
      return total;
    },
    flows: {
      awaited: async (id) => toAwaited((await readAwaited(id)) as string[]),
      countAwaited: async (id) => toAwaitedCounts((await countAwaited(id)) as (string | null)[]),
    },
    async wake() {
      await client.publish(channel, '');
    },
    listen: (onWake, onLost) => listenInRedis(client, channel, onWake, onLost),
  };
}

type Run = ReturnType<typeof createScript>;

function requireOutside(within: unknown): void {
  if (within !== undefined) throw new TypeError('this store cannot join a transaction');
}

function onceItSucceeds(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () =>
    (running ??= run().catch((error: unknown) => {
      running = undefined;
      throw error;
    }));
}

async function requireNoEviction(client: RedisClient, base: string): Promise<void> {
  const policy = await createScript(client, base, evictionScript)();
  // Our keys do not expire: a policy for those that do leaves them alone.
  if (typeof policy === 'string' && policy.startsWith('allkeys'))
    throw new TypeError(
      `Redis has the maxmemory-policy ${policy}, which removes jobs when memory is full: set noeviction`,
    );
}

async function list(run: Run, filter: JobFilter): Promise<readonly Job[]> {
  const { state, task = '', group = '', limit } = filter;
  const found: Job[] = [];
  let below: string | undefined = filter.below ?? '';
  while (found.length < limit && below !== undefined) {
    const looks = group === '' ? limit - found.length : looksAtOnce;
    const words = [state, task, group, below, limit - found.length, looks];
    const [jobs, last] = (await run(...words)) as [(string | string[])[], string];
    for (let i = 0; i < jobs.length; i += 2)
      found.push(toJob(jobs[i] as string, jobs[i + 1] as string[]) as Job);
    below = last === '' ? undefined : last;
  }
  return found;
}

type StatsWords = [(string | number)[], string[], string, string[]];

function toStats([counts, paused, oldest, workers]: StatsWords): JobStats {
  const tasks: Record<string, Partial<Record<JobState, number>>> = {};
  for (let i = 0; i < counts.length; i += jobStates.length + 1) {
    const ofTask: Partial<Record<JobState, number>> = {};
    for (const [at, state] of jobStates.entries()) {
      const number = counts[i + at + 1] as number;
      if (number > 0) ofTask[state] = number;
    }
    if (Object.keys(ofTask).length > 0) tasks[String(counts[i])] = ofTask;
  }
  return {
    tasks,
    paused: paused.toSorted(),
    oldestReadyMs: Number(oldest),
    workers: new Set(workers).size,
    tables: [],
    oldestSnapshotMs: 0,
  };
}
