import type { ClaimRequest } from '../store.ts';
import type { ClaimRow } from './postgres.ts';

// A claim that reads only live rows takes less than this: 2 ms and 20 µs for each job.
const isSlow = (pickMs: number, jobs: number) => pickMs > 2 + jobs * 0.02;
/** So many claims begin at the floors before one looks at everything again: what committed late stands before them. */
const claimsOnFloors = 20;

/** Where claims begin, from when reading became slow: an old snapshot keeps dead rows, and each claim would walk over them. */
export function createFloors() {
  let floors: readonly bigint[] | null = null;
  let left = 0;
  return {
    next(): readonly bigint[] | null {
      if (floors === null || left === 0) return null;
      left -= 1;
      return floors;
    },
    learn(row: ClaimRow, { max, tasks, limits }: ClaimRequest): void {
      // Jobs of other tasks, or held up by a limit, are still to come before the floor.
      if (tasks !== undefined || limits !== undefined || row.pick_ms === null) return;
      const jobs = row.jobs?.length ?? 0;
      if (left > 0) {
        if (row.floors !== null) floors = row.floors;
        // Nothing above the floors: what there is stands before them.
        if (jobs < max) left = 0;
        return;
      }
      floors = isSlow(row.pick_ms, jobs) && jobs === max ? row.floors : null;
      left = floors === null ? 0 : claimsOnFloors;
    },
  };
}
