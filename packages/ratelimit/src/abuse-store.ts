/** What is held against a caller now. */
export interface AbuseState {
  /** Decayed to the moment of asking. */
  readonly score: number;
  /** 0 where it is not blocked. */
  readonly blockedForMs: number;
}

export interface CallerState extends AbuseState {
  readonly caller: string;
}

/**
 * Keeps scores and blocks. Promises of every store: each call is one atomic step by the store's own clock; a score
 * halves every `halfLifeMs` and may be forgotten below 0.01; a block ends by itself.
 */
export interface AbuseStore {
  /** Whether it decides in this process. */
  readonly isLocal: boolean;
  /** Adds points to what is left of the score. */
  add(caller: string, points: number, halfLifeMs: number): Promise<AbuseState>;
  read(caller: string, halfLifeMs: number): Promise<AbuseState>;
  /** Blocks for so long from now, if that is longer than it is blocked already; gives whether it was not blocked before. */
  block(caller: string, forMs: number): Promise<boolean>;
  /** Ends a block and forgets the score; gives whether it was blocked. */
  unblock(caller: string): Promise<boolean>;
  /** Of whom something is held: who is blocked, the longest to go first, then the others, the highest score first; at most `limit`. */
  list(halfLifeMs: number, limit: number): Promise<readonly CallerState[]>;
}

/** The score after some time. */
export const decayed = (score: number, elapsedMs: number, halfLifeMs: number): number =>
  score * 2 ** (-Math.max(0, elapsedMs) / halfLifeMs);

/** After so long a score is below 0.01 and forgotten. */
export const forgottenAfterMs = (score: number, halfLifeMs: number): number =>
  Math.ceil(halfLifeMs * Math.log2(Math.max(2, score / 0.01)));
