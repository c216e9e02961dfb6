import type { PostgresServer } from '@svc/db/testing';

/** What one run gave. Every answer in it was checked. */
export interface Sample {
  readonly operations: number;
  readonly elapsedMs: number;
  /** Of each operation; empty where one is too short to be timed by itself. */
  readonly latenciesMs: readonly number[];
}

/** One of the things compared. */
export interface Variant {
  readonly name: string;
  /** Works for about this long, or until its own amount of work is done. @throws {WrongAnswer} */
  run(durationMs: number): Promise<Sample>;
}

/** What is wanted of a variant: in the median over the rounds, its figure, or that divided by another variant's of the same round. */
export interface Goal {
  readonly variant: string;
  readonly figure: 'rate' | 'p50Ms' | 'p99Ms';
  readonly dividedBy?: string;
  readonly atLeast?: number;
  readonly atMost?: number;
}

export interface Prepared extends AsyncDisposable {
  readonly variants: readonly Variant[];
}

export interface Benchmark {
  readonly name: string;
  /** What is measured, in a sentence. */
  readonly summary: string;
  /** The variant that the others are divided by. */
  readonly reference: string;
  readonly goals: readonly Goal[];
  /** Whether PostgreSQL writes as it does in production, commits flushed to the disk. @default false */
  readonly durable?: boolean;
  /** Fills databases on a server of its own. */
  prepare(server: PostgresServer): Promise<Prepared>;
}

/** A variant answered what is not so; its speed is worth nothing. */
export class WrongAnswer extends Error {
  override readonly name = 'WrongAnswer';
}
