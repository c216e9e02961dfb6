import type { Kept } from './memory-jobs.ts';

/** Turns within each priority, by start-time fair queueing: who comes anew begins at the virtual time. */
export function createTurns() {
  const levels = new Map<number, { virtualTime: number; tails: Map<string | null, number> }>();
  const levelOf = ({ priority }: Kept) => {
    const level = levels.get(priority) ?? { virtualTime: 0, tails: new Map() };
    levels.set(priority, level);
    return level;
  };
  return {
    /** In front of all. */
    first: (job: Kept): number => levelOf(job).virtualTime,
    /** At the end of its group. */
    last(job: Kept): number {
      const { virtualTime, tails } = levelOf(job);
      const turn = Math.max(virtualTime, tails.get(job.group) ?? 0) + job.cost;
      tails.set(job.group, turn);
      return turn;
    },
    /** It had its turn. */
    pass(job: Kept): void {
      const level = levelOf(job);
      level.virtualTime = Math.max(level.virtualTime, job.turn);
    },
  };
}
