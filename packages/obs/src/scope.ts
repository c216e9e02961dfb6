import { AsyncLocalStorage } from 'node:async_hooks';
import type { Trace } from './tracing/trace.ts';

/** What the code that runs now runs for. */
export interface Scope {
  readonly trace: Trace;
  readonly requestId?: string | undefined;
  readonly tenantId?: string | undefined;
  /** Who asked: the id of a user, or of an API key. */
  readonly principalId?: string | undefined;
}

/** Finds the scope of the code that runs now, wherever it was called from. */
export interface Scopes {
  /** Calls `work` within the scope, with everything that it begins. */
  run<T>(scope: Scope, work: () => T): T;
  /** `undefined` outside of every scope. */
  current(): Scope | undefined;
}

/** Makes scopes on an AsyncLocalStorage of their own; a logger and `createObs` share one. */
export function createScopes(): Scopes {
  const storage = new AsyncLocalStorage<Scope>();
  return { run: (scope, work) => storage.run(scope, work), current: () => storage.getStore() };
}
