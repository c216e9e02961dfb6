import type { Duration } from '@svc/core';
import type * as v from 'valibot';
import type { UniqueUntil } from './job.ts';
import type { Backoff } from './retry.ts';
import type { AttemptContext } from './attempt.ts';

/** The schema of a payload; what is stored is JSON. */
export type PayloadSchema = v.GenericSchema;

/** What happens at most so often. */
export interface RateOption {
  /** How many starts. */
  readonly quota: number;
  /** In so long; spread over it, after a burst of `quota`. */
  readonly per: Duration;
}

export interface TaskOptions<
  Name extends string = string,
  Schema extends PayloadSchema = PayloadSchema,
  Result = unknown,
> {
  /** `package.verb`, at most 100 characters. It is stored: never give it another meaning. */
  name: Name;
  /** What a payload is checked against, when it is enqueued and again before it runs. */
  payload: Schema;
  /** Does the work. It may run more than once: a worker can die after the work and before the record of it. */
  run(payload: v.InferOutput<Schema>, context: AttemptContext): Promise<Result> | Result;
  /** The last attempt that fails makes it a dead letter. @default 20 */
  maxAttempts?: number;
  /** How long after a failed attempt the next may start. @default exponential({ first: '1s', cap: '1h' }) */
  backoff?: Backoff;
  /** After so long an attempt has failed, and its signal is aborted. @default none */
  timeout?: Duration;
  /** From 0, last, to 9, first. @default 5 */
  priority?: number;
  /** The most that run at once, over all workers. @default no limit */
  concurrency?: number;
  /** How often it may start, over all workers. @default no limit */
  rate?: RateOption;
  /** Until when a unique key is taken. @default 'finished' */
  uniqueUntil?: UniqueUntil;
  /** How long the record of a job that is done is kept, with its result; `false` keeps none. @default that of `createJobs` */
  keepDone?: Duration | false;
}

/** A kind of job: what it is given, and what it does. */
export interface Task<
  Name extends string = string,
  Schema extends PayloadSchema = PayloadSchema,
  Result = unknown,
> extends Readonly<TaskOptions<Name, Schema, Result>> {}

/** Some task: what a list of them is made of. */
export type AnyTask = Task;

/** The payload that is enqueued for a task. */
export type PayloadOf<T extends AnyTask> = v.InferInput<T['payload']>;

/** Declares a task. @throws {TypeError} when an option is not usable. */
export function defineTask<
  const Name extends string,
  const Schema extends PayloadSchema,
  Result = unknown,
>(options: TaskOptions<Name, Schema, Result>): Task<Name, Schema, Result> {
  const { name, maxAttempts = 20, priority = 5, concurrency = 1, rate } = options;
  if (!/^[\w.:-]{1,100}$/.test(name))
    throw new TypeError('a task is named with 1 to 100 letters, digits, dots, colons and hyphens');
  requireWhole(maxAttempts, 1, 1000, 'maxAttempts');
  requireWhole(priority, 0, 9, 'priority');
  requireWhole(concurrency, 1, 1_000_000, 'concurrency');
  if (rate !== undefined) requireWhole(rate.quota, 1, 1_000_000_000, 'the quota of a rate');
  return options;
}

/** @throws {TypeError} when it is not a whole number within bounds. */
export function requireWhole(value: number, min: number, max: number, what: string): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new TypeError(`${what} is a whole number from ${min} to ${max}`);
}
