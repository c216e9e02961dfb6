import type { ScheduleStore, StoredSchedule, TickClaim } from '../store.ts';

interface Entry extends StoredSchedule {
  readonly pattern: string;
  readonly ticks: Set<number>;
}

/** Keeps schedules in this process, for one process and for tests. */
export function memoryScheduleStore(): ScheduleStore {
  const entries = new Map<string, Entry>();
  const running = new Map<string, Promise<unknown>>();
  const later = (a: Date, b: Date) => (a > b ? a : b);
  const change = (name: string, changes: (entry: Entry) => Partial<Entry>) => {
    const entry = entries.get(name);
    if (entry !== undefined) entries.set(name, { ...entry, ...changes(entry) });
  };
  const isFree = ({ schedule, tickAt }: TickClaim) => {
    const entry = entries.get(schedule);
    if (entry === undefined || entry.pausedAt !== null) return false;
    return tickAt > entry.decidedUntil && !entry.ticks.has(tickAt.getTime());
  };
  const keep = ({ schedule, tickAt, advances }: TickClaim) =>
    change(schedule, ({ ticks, decidedUntil, lastTickAt }) => ({
      ticks: ticks.add(tickAt.getTime()),
      decidedUntil: advances ? later(decidedUntil, tickAt) : decidedUntil,
      lastTickAt: later(lastTickAt ?? tickAt, tickAt),
    }));

  return {
    async register(schedules, now) {
      for (const { name, pattern } of schedules) {
        if (!entries.has(name)) {
          const ticks = new Set<number>();
          const nothing = { lastTickAt: null, pausedAt: null };
          entries.set(name, { name, pattern, decidedUntil: now, ticks, ...nothing });
        } else if (entries.get(name)?.pattern !== pattern) {
          change(name, ({ decidedUntil }) => ({ pattern, decidedUntil: later(decidedUntil, now) }));
        }
      }
    },
    read: async (names) =>
      names.flatMap((each) => {
        const entry = entries.get(each);
        if (entry === undefined) return [];
        const { name, decidedUntil, lastTickAt, pausedAt } = entry;
        return [{ name, decidedUntil, lastTickAt, pausedAt }];
      }),
    async claimTick(claim, enqueue) {
      const key = `${claim.schedule} ${claim.tickAt.getTime()}`;
      while (running.has(key)) await running.get(key)?.catch(() => {});
      if (!isFree(claim)) return false;
      const work = enqueue(undefined);
      running.set(key, work);
      try {
        await work;
        keep(claim);
      } finally {
        running.delete(key);
      }
      return true;
    },
    async pause(name, now) {
      change(name, ({ pausedAt }) => ({ pausedAt: pausedAt ?? now }));
    },
    async resume(name, now) {
      change(name, ({ pausedAt, decidedUntil }) =>
        pausedAt === null ? {} : { pausedAt: null, decidedUntil: later(decidedUntil, now) },
      );
    },
    async prune(before) {
      let count = 0;
      for (const { ticks, decidedUntil } of entries.values())
        for (const tick of ticks)
          if (tick < before.getTime() && tick <= decidedUntil.getTime() && ticks.delete(tick))
            count += 1;
      return count;
    },
  };
}
