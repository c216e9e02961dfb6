import type { Logger } from '@svc/core';
import type { Trx } from '@svc/db';
import type { AwaitedJob } from './job.ts';

/** What a handler knows of its job, and can do with it. */
export interface AttemptContext {
  readonly id: string;
  readonly task: string;
  /** From 1 on. */
  readonly attempt: number;
  readonly maxAttempts: number;
  readonly group: string | null;
  readonly enqueuedAt: Date;
  /** The tenant it was enqueued for. */
  readonly tenantId: string | null;
  /** The trace it was enqueued in (W3C Trace Context). */
  readonly traceparent: string | null;
  /** Aborted when the attempt has no more say: it took too long, was cancelled or lost, or the worker ends. */
  readonly signal: AbortSignal;
  /** Names the job on every line. */
  readonly logger: Logger;
  /** The jobs it was `after`, in that order, with their results. @throws {TypeError} when the store keeps no such jobs. */
  awaited(): Promise<readonly AwaitedJob[]>;
  /** Says how far it is; any JSON. Best effort: a failure is logged. */
  progress(value: unknown): Promise<void>;
  /**
   * Makes the job done in this transaction: what is written in it happens exactly if the job is done. The last thing in it.
   *
   * @throws {JobLost} when the lease is over: the transaction must roll back.
   * @throws {TypeError} when the store cannot join a transaction.
   */
  complete(options: { within: Trx; result?: unknown }): Promise<void>;
  /** Runs `fn` in a transaction that makes the job done, with what `fn` gives as its result. @throws {JobLost} */
  transact<T>(fn: (trx: Trx) => Promise<T>): Promise<T>;
}
