import type { AwaitedCounts } from './job.ts';
import type { FlowStore, JobStore } from './store.ts';

/** @throws {TypeError} when the store cannot keep jobs that wait for others. */
export function requireFlows({ flows }: JobStore): FlowStore {
  if (flows === undefined) throw new TypeError('this store cannot keep jobs that wait for others');
  return flows;
}

/** Of a job that waits for none. */
export const noneAwaited: AwaitedCounts = { open: 0, done: 0, dead: 0, cancelled: 0 };
