import { systemClock } from '@svc/core';
import type { PostgresServer } from '@svc/db/testing';
import { type Sample, WrongAnswer } from '../benchmark.ts';

/** A queue of no-op jobs, in a database of its own. */
export interface Queue extends AsyncDisposable {
  readonly name: string;
  /** Stores so many jobs, a thousand in a call. */
  fill(count: number): Promise<void>;
  /** Stores one job in a transaction of its own. */
  addOne(): Promise<void>;
  /** Runs the jobs there are, and waits until the last is settled; resolves with how many there were. */
  drain(expected: number): Promise<number>;
  /** Empties it. */
  clear(): Promise<void>;
}

export type OpenQueue = (url: string) => Promise<Queue>;

/** Opens each on a database of its own. */
export async function openAll(
  server: PostgresServer,
  opens: readonly OpenQueue[],
): Promise<{ queues: readonly Queue[] } & AsyncDisposable> {
  const queues: Queue[] = [];
  for (const [index, open] of opens.entries()) {
    const database = await server.createDatabase(`jobs_${index}`);
    queues.push(await open(database.ownerUrl));
  }
  return {
    queues,
    async [Symbol.asyncDispose]() {
      for (const queue of queues) await queue[Symbol.asyncDispose]();
    },
  };
}

/** A variant that works off its own amount of work: only the rate counts. */
export const amount = (operations: number, elapsedMs: number): Sample => ({
  operations,
  elapsedMs,
  latenciesMs: [elapsedMs / operations],
});

/** How long a queue takes for so many jobs, each of which must run once. @throws {WrongAnswer} */
export async function drained(queue: Queue, count: number): Promise<Sample> {
  await queue.clear();
  await queue.fill(count);
  const startedAt = systemClock.elapsedMs();
  const ran = await queue.drain(count);
  const elapsedMs = systemClock.elapsedMs() - startedAt;
  if (ran !== count) throw new WrongAnswer(`${ran} runs of ${count} jobs`);
  return amount(count, elapsedMs);
}

export const chunk = 1000;
export const chunks = (count: number): number[] =>
  Array.from({ length: Math.ceil(count / chunk) }, (_, at) => Math.min(chunk, count - at * chunk));
