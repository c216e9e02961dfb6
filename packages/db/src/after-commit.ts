import type { KyselyPlugin } from 'kysely';
import type { Db } from './connection.ts';

/** What is to be done after COMMIT. */
export type Hook = () => void | Promise<void>;

/** The part of a transaction that `transact` runs: its hooks, and the turn that its savepoints take. */
export interface Scope {
  readonly hooks: Hook[];
  /** What is to be done when the outermost transaction is over, committed or not. */
  readonly endHooks: Hook[];
  /** `false` where the outermost transaction is not ours, so that nobody could run the hooks. */
  readonly runsHooks: boolean;
  savepoints: Promise<unknown>;
  readonly depth: number;
}

interface ScopePlugin extends KyselyPlugin {
  readonly scope: Scope;
}

/** Carries the scope on the transaction: as a plugin it survives `withSchema`, `withPlugin` and savepoints, where a WeakMap would not. */
export function scopePlugin(scope: Scope): ScopePlugin {
  return {
    scope,
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => result,
  };
}

export function scopeOf(db: Db): Scope | undefined {
  const plugin = db.getExecutor().plugins.findLast((candidate) => 'scope' in candidate);
  return (plugin as ScopePlugin | undefined)?.scope;
}

/**
 * Registers what must happen once the transaction has committed, such as waking a worker. Hooks run in order; they are
 * dropped with a rollback, that of an enclosing savepoint included. One that throws is logged: the commit stands.
 *
 * @throws {TypeError} outside of `transact`.
 */
export function afterCommit(trx: Db, hook: Hook): void {
  const scope = scopeOf(trx);
  if (!trx.isTransaction || scope === undefined || !scope.runsHooks) {
    throw new TypeError('afterCommit needs a transaction of transact()');
  }
  scope.hooks.push(hook);
}

/**
 * Registers what must happen when the outermost transaction is over, committed or not: counting an attempt that failed,
 * which a rollback must not undo. Runs after the hooks of `afterCommit`, outside of any transaction. One that throws is logged.
 *
 * @throws {TypeError} outside of `transact`.
 */
export function afterEnd(trx: Db, hook: Hook): void {
  const scope = scopeOf(trx);
  if (!trx.isTransaction || scope === undefined || !scope.runsHooks) {
    throw new TypeError('afterEnd needs a transaction of transact()');
  }
  scope.endHooks.push(hook);
}
