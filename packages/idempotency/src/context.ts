import type { Clock, Logger, NewId } from '@svc/core';
import type { Trx } from '@svc/db';
import type { ExecutedAnswer, Keep, StoredAnswer } from './answer.ts';
import type { KeyScope } from './key.ts';
import type { IdempotencyStore } from './store.ts';

/** A request that must be executed once. */
export interface IdempotentRequest {
  readonly scope: KeyScope;
  readonly key: string;
  /** What the request says, as `fingerprintOf` gives it. */
  readonly fingerprint: string;
}

/** One execution of a request. */
export interface Execution {
  /** A UUID of this execution alone; later ones are greater. */
  readonly token: string;
  /** The transaction in which the key is, for everything that is written. */
  readonly within?: Trx;
}

export type Execute = (execution: Execution) => Promise<ExecutedAnswer>;

/** Opens a transaction, commits what `fn` did, and rolls back when it throws. */
export type Transact = <T>(fn: (trx: Trx) => Promise<T>) => Promise<T>;

/** Where the key goes: into the caller's transaction, into one that is opened for it, or by itself. */
export interface RunOptions {
  /** A transaction of the caller: while it is open others find the request running, and a repeat that waits holds it. */
  readonly within?: Trx;
  /** Opens a transaction around the execution; an answer of 400 and above rolls back what was written. While a repeat waits none is open. */
  readonly transact?: Transact;
  /** Ends the waiting. */
  readonly signal?: AbortSignal;
}

export interface RunResult {
  readonly answer: StoredAnswer;
  /** Whether it is that of an earlier execution. */
  readonly replayed: boolean;
}

/** What the parts of one instance have in common. */
export interface IdempotencyContext {
  readonly name: string;
  readonly store: IdempotencyStore;
  readonly leaseMs: number;
  readonly waitMs: number;
  readonly ttlMs: number;
  readonly maxBodyBytes: number;
  readonly onMismatch: 'conflict' | 'unprocessable';
  readonly keep: Keep;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly logger: Logger;
}
