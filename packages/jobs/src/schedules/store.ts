import type { Trx } from '@svc/db';

/** What all processes know of a schedule. */
export interface StoredSchedule {
  readonly name: string;
  /** Ticks up to here are done with. */
  readonly decidedUntil: Date;
  /** The newest tick that was enqueued. */
  readonly lastTickAt: Date | null;
  readonly pausedAt: Date | null;
}

export interface TickClaim {
  readonly schedule: string;
  readonly tickAt: Date;
  /** Whether all ticks up to this one are done with then. `false` while an earlier one is still to be tried again. */
  readonly advances: boolean;
}

/**
 * Keeps what is known of schedules. Hours are those of the caller's clock. Promises of every store:
 *
 * - `claimTick` calls `enqueue` at most once at a time for a tick, and never again after it resolved: of any number of
 *   claims at once one does, and the others wait for it. When it rejects, the claim does too, and the tick is free.
 * - A store that has transactions hands the claim's to `enqueue`: both commit or neither does.
 * - No tick is claimed while its schedule is paused or unknown, nor one up to `decidedUntil`; that never goes back.
 * - Each rejects when the store cannot be asked.
 */
export interface ScheduleStore {
  /** New ones, and those whose pattern is another than the last that was registered, are decided until `now`. */
  register(schedules: readonly { name: string; pattern: string }[], now: Date): Promise<void>;
  /** Those that are known. */
  read(names: readonly string[]): Promise<StoredSchedule[]>;
  /** Whether this call enqueued it. */
  claimTick(
    claim: TickClaim,
    enqueue: (within: Trx | undefined) => Promise<unknown>,
  ): Promise<boolean>;
  pause(name: string, now: Date, within?: Trx): Promise<void>;
  /** Ticks that came during the pause are done with. */
  resume(name: string, now: Date, within?: Trx): Promise<void>;
  /** Forgets ticks before `before` that are done with; gives how many. */
  prune(before: Date): Promise<number>;
}
