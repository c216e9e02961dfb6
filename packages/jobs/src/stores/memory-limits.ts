import type { Limit, Limits } from '../store.ts';

/** What counts against limits: how it is called, and which limit that is. */
type Use = readonly [key: string, limit: Limit];

/** Counts what runs and what started, of one process. */
export function createLimiter() {
  const running = new Map<string, number>();
  /** Theoretical arrival times (GCRA, ITU-T I.371), in milliseconds. */
  const arrivals = new Map<string, number>();

  const usesOf = (limits: Limits, task: string, group: string | null): Use[] => {
    const uses: Use[] = [];
    if (limits.global !== undefined) uses.push(['g', limits.global]);
    const ofTask = limits.tasks[task];
    if (ofTask !== undefined) uses.push([`t:${task}`, ofTask]);
    const ofGroup = group === null ? undefined : (limits.groups[group] ?? limits.eachGroup);
    if (ofGroup !== undefined) uses.push([`k:${group}`, ofGroup]);
    return uses;
  };
  /** 0 where there is room, else how long until there may be; `Infinity` until something ends. */
  const waitOf = ([key, { concurrency, rate }]: Use, nowMs: number): number => {
    if (concurrency !== undefined && (running.get(key) ?? 0) >= concurrency) return Infinity;
    if (rate === undefined) return 0;
    const ahead = Math.max(0, (arrivals.get(key) ?? 0) - nowMs);
    return Math.max(0, ahead + rate.perMs / rate.quota - rate.perMs);
  };

  return {
    /** Begins a job if every limit has room: what is to be ended when it ends. Else how long to wait. */
    begin(
      limits: Limits | undefined,
      task: string,
      group: string | null,
      nowMs: number,
    ): { end(): void } | { waitMs: number } {
      if (limits === undefined) return { end() {} };
      const uses = usesOf(limits, task, group);
      const waitMs = Math.max(0, ...uses.map((use) => waitOf(use, nowMs)));
      if (waitMs > 1e-6) return { waitMs };
      for (const [key, { rate }] of uses) {
        running.set(key, (running.get(key) ?? 0) + 1);
        if (rate !== undefined)
          arrivals.set(key, Math.max(arrivals.get(key) ?? 0, nowMs) + rate.perMs / rate.quota);
      }
      let hasEnded = false;
      return {
        end() {
          if (hasEnded) return;
          hasEnded = true;
          for (const [key] of uses) {
            const left = (running.get(key) ?? 1) - 1;
            if (left > 0) running.set(key, left);
            else running.delete(key);
          }
        },
      };
    },
  };
}
