import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';
import { type DialectAdapter, type Kysely, PostgresAdapter, type Transaction } from 'kysely';
import type { Sessions } from './session.ts';

// A Transaction<A & B> is not assignable to Kysely<A>, so the boundary is `any`; narrow it once inside.
/** A database, or a transaction of it. */
export type Db = Kysely<any>;
/** An open transaction. */
export type Trx = Transaction<any>;

export interface PoolFigures {
  /** The most connections there may be. */
  readonly max: number;
  /** Connections there are, opening ones included. */
  readonly open: number;
  readonly idle: number;
  readonly busy: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
}

/** An open database. */
export interface Connection extends AsyncDisposable {
  /** What events call it. */
  readonly name: string;
  readonly db: Db;
  readonly engine: 'postgres' | 'pglite';
  /** Resolves when the database answers. @throws {DatabaseUnavailable} */
  ping(): Promise<void>;
  /** The pool at this moment. */
  pool(): PoolFigures;
  /** Lets running statements end (at most 5 s), then closes every connection. Later use is refused. */
  close(): Promise<void>;
}

/** What the functions that take a `Db` know of where it came from. */
export interface Surroundings {
  readonly engine: 'postgres' | 'pglite';
  readonly clock: Clock;
  readonly logger: Logger;
  /** Absent where it is not a connection of ours. */
  readonly listen?: Sessions['listen'];
}

const surroundings = new WeakMap<DialectAdapter, Surroundings>();
const unknownSurroundings: Surroundings = {
  engine: 'postgres',
  clock: systemClock,
  logger: silentLogger,
};

/** A Kysely adapter that remembers its surroundings: the one object that every copy of a `Db` and its transactions share. */
export function adapterWithin(around: Surroundings): DialectAdapter {
  const adapter = new PostgresAdapter();
  surroundings.set(adapter, around);
  return adapter;
}

export function surroundingsOf(db: Db): Surroundings {
  return surroundings.get(db.getExecutor().adapter) ?? unknownSurroundings;
}
