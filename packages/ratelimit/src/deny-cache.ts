import type { Policy } from './limit.ts';

/** What a limit refused, and until when that cannot change. */
export interface Denial {
  readonly quota: number;
  readonly capacity: number;
  readonly cost: number;
  /** On the clock that never runs backwards, as all here. */
  readonly freesAt: number;
  readonly resetsAt: number;
  readonly remaining: number;
  readonly forgetAt: number;
}

/**
 * Remembers refusals for as long as they must stay refusals, so that a caller who hammers on costs no call to the
 * store. At most a minute, so that a count that somebody cleared in the store is seen.
 */
export interface DenyCache {
  readonly size: number;
  /** The refusal that holds for this policy and cost, if there is one. */
  find(key: string, policy: Policy, cost: number, nowMs: number): Denial | undefined;
  add(key: string, denial: Omit<Denial, 'forgetAt'>, nowMs: number): void;
}

const longestMs = 60_000;

export function createDenyCache(maxKeys: number): DenyCache {
  const denials = new Map<string, Denial>();
  return {
    get size() {
      return denials.size;
    },
    find(key, { quota, capacity }, cost, nowMs) {
      const denial = denials.get(key);
      if (denial === undefined) return undefined;
      if (denial.forgetAt <= nowMs) {
        denials.delete(key);
        return undefined;
      }
      // A larger quota, or a smaller cost, may pass.
      const holds = denial.quota === quota && denial.capacity === capacity && cost >= denial.cost;
      return holds ? denial : undefined;
    },
    add(key, denial, nowMs) {
      if (denial.freesAt <= nowMs) return;
      denials.delete(key);
      denials.set(key, { ...denial, forgetAt: Math.min(denial.freesAt, nowMs + longestMs) });
      if (denials.size <= maxKeys) return;
      for (const oldest of denials.keys()) {
        denials.delete(oldest);
        return;
      }
    },
  };
}
