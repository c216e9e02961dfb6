import { AsyncLocalStorage } from 'node:async_hooks';
import { type Clock, isFailure, type Logger, randomBytes } from '@svc/core';
import { sql } from 'kysely';
import { type Hook, type Scope, scopeOf, scopePlugin } from './after-commit.ts';
import { type Db, surroundingsOf, type Trx } from './connection.ts';
import { DatabaseUnavailable } from './failures.ts';
import { type TransactionSettings, withSettings } from './transaction-settings.ts';

export type Isolation = 'read committed' | 'repeatable read' | 'serializable';

export interface TransactOptions {
  /** @default the server's, which is read committed */
  isolation?: Isolation;
  /** Nothing may be written; in return a lost connection is tried again. @default false */
  readOnly?: boolean;
  /** Settings of the server that hold until the transaction ends (`set_config(…, true)`), sent together with BEGIN: they cost no round trip. @default none */
  settings?: TransactionSettings;
  /** A statement sent together with BEGIN, after the settings; where it fails, the transaction does not begin. SQL as it stands: never with what a client sent. @default none */
  assertion?: string;
  /** How often it is tried again after a serialization failure or a deadlock. @default 3 */
  retries?: number;
  /** @default the connection's */
  clock?: Clock;
  /** From 0 up to 1, for the jitter. @default the operating system's generator */
  random?: () => number;
  /** Told of hooks that throw. @default the connection's */
  logger?: Logger;
}

/**
 * Runs `fn` in a transaction and commits it; whatever `fn` throws rolls back. Tried again, from the start, after a
 * serialization failure (40001) or a deadlock (40P01), and if `readOnly` after a lost connection: so `fn` does nothing
 * outside the transaction but through `afterCommit`. Within a transaction it is a savepoint of it, tried once.
 *
 * @throws {DatabaseUnavailable} also when the connection is lost during COMMIT: then the outcome is not known.
 * @throws {CommitRolledBack} when `fn` swallowed the error of a statement.
 * @throws {TypeError} on a setting whose name is none.
 */
export async function transact<T>(
  db: Db,
  fn: (trx: Trx) => Promise<T>,
  options: TransactOptions = {},
): Promise<T> {
  if (db.isTransaction) return inSavepoint(db as Trx, fn, options);
  const around = surroundingsOf(db);
  const { retries = 3, readOnly = false, random = randomFraction } = options;
  const { clock = around.clock, logger = around.logger } = options;
  for (let attempt = 0; ; attempt += 1) {
    const scope = outermostScope();
    let result: T;
    try {
      result = await withSettings(options, () =>
        begin(db, options).execute((trx) => fn(trx.withPlugin(scopePlugin(scope)))),
      );
    } catch (error) {
      if (attempt >= retries || !isRetryable(error, readOnly)) {
        await runHooks(scope.endHooks, logger);
        throw error;
      }
      await clock.sleep(backoffMs(attempt, random));
      continue;
    }
    await runHooks([...scope.hooks, ...scope.endHooks], logger);
    return result;
  }
}

const outermostScope = (): Scope => ({
  hooks: [],
  endHooks: [],
  runsHooks: true,
  savepoints: Promise.resolve(),
  depth: 0,
});

/** Full jitter: anything from 0 to 10 ms doubled per attempt, at most 1 s (Brooker, "Exponential Backoff And Jitter", 2015). */
export function backoffMs(attempt: number, random: () => number): number {
  return random() * Math.min(1000, 10 * 2 ** attempt);
}

const randomFraction = () => Buffer.from(randomBytes(4)).readUInt32BE(0) / 2 ** 32;

function begin(db: Db, { isolation, readOnly = false }: TransactOptions) {
  let builder = db.transaction();
  if (isolation !== undefined) builder = builder.setIsolationLevel(isolation);
  if (readOnly) builder = builder.setAccessMode('read only');
  return builder;
}

function isRetryable(error: unknown, readOnly: boolean): boolean {
  if (isFailure(error, DatabaseUnavailable)) return readOnly;
  const code = (error as { code?: unknown } | null)?.code;
  return code === '40001' || code === '40P01';
}

async function runHooks(hooks: readonly Hook[], logger: Logger): Promise<void> {
  for (const hook of hooks) {
    try {
      await hook();
    } catch (error) {
      logger.error({ err: error }, 'a hook failed after its transaction had committed');
    }
  }
}

/** The scopes in whose savepoints the running code stands. */
const inside = new AsyncLocalStorage<readonly Scope[]>();

function inSavepoint<T>(
  trx: Trx,
  fn: (trx: Trx) => Promise<T>,
  options: TransactOptions,
): Promise<T> {
  const { isolation, readOnly, settings, assertion } = options;
  if ([isolation, readOnly, settings, assertion].some((own) => own !== undefined)) {
    throw new TypeError('a savepoint has the isolation, access and settings of its transaction');
  }
  const parent = scopeOf(trx);
  if (parent !== undefined && inside.getStore()?.includes(parent) === true) {
    // It would wait for the savepoint that it stands in, for ever.
    throw new TypeError('this transaction has a savepoint open here: use the one you were given');
  }
  // Savepoints of one transaction form a stack: two side by side would release each other's.
  const result = (parent?.savepoints ?? Promise.resolve()).then(() => nest(trx, parent, fn));
  if (parent !== undefined) parent.savepoints = result.catch(() => {});
  return result;
}

async function nest<T>(
  trx: Trx,
  parent: Scope | undefined,
  fn: (trx: Trx) => Promise<T>,
): Promise<T> {
  const depth = (parent?.depth ?? 0) + 1;
  const scope: Scope = {
    hooks: [],
    // Those of the whole transaction: they outlive the rollback of a savepoint.
    endHooks: parent?.endHooks ?? [],
    runsHooks: parent?.runsHooks ?? false,
    savepoints: Promise.resolve(),
    depth,
  };
  const name = sql.id(`svc_${depth}`);
  await sql`savepoint ${name}`.execute(trx);
  let result: T;
  try {
    const around = parent === undefined ? [] : [...(inside.getStore() ?? []), parent];
    result = await inside.run(around, () => fn(trx.withPlugin(scopePlugin(scope))));
  } catch (error) {
    await undo(trx, name);
    throw error;
  }
  await sql`release savepoint ${name}`.execute(trx);
  parent?.hooks.push(...scope.hooks);
  return result;
}

async function undo(trx: Trx, name: ReturnType<typeof sql.id>): Promise<void> {
  try {
    await sql`rollback to savepoint ${name}`.execute(trx);
    await sql`release savepoint ${name}`.execute(trx);
  } catch (error) {
    // The error that led here is the one to report; without the savepoint the transaction itself cannot commit.
    surroundingsOf(trx).logger.warn({ err: error }, 'a rollback to a savepoint failed');
  }
}
