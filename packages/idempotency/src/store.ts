import type { Trx } from '@svc/db';
import type { StoredAnswer, Withheld } from './answer.ts';

/** Who wants a key, and for what. */
export interface Claim {
  /** 43 characters of base64url: a hash of scope and key. */
  readonly id: string;
  /** 43 characters of base64url: a hash of what the request says. */
  readonly fingerprint: string;
  /** A UUID of this execution alone: the fencing token. */
  readonly token: string;
  /** How long nobody else gets the key unless it is renewed. */
  readonly leaseMs: number;
  /** How long the key is remembered, from now. At least as long as the lease. */
  readonly ttlMs: number;
}

/** What became of a claim. */
export type Claimed =
  | { readonly state: 'granted' }
  | {
      readonly state: 'running';
      /** `undefined` where it cannot be seen: it is part of a transaction that is still open. */
      readonly fingerprint: string | undefined;
      readonly leaseLeftMs: number;
    }
  | {
      readonly state: 'finished';
      readonly fingerprint: string;
      readonly result: StoredAnswer | Withheld;
    };

/**
 * Keeps keys and answers. Promises of every store:
 *
 * - `claim` is one atomic step: of any number at once for one free key exactly one is granted, by the store's own clock.
 * - A key is free when it is unknown, when its time to live is over, or when its lease has ended and the fingerprint is
 *   the same: with another fingerprint it stays taken.
 * - `finish`, `renew` and `release` do something only while the token is that of the last claim that was granted and it
 *   is neither finished nor released. They say whether they did. So what is late cannot overwrite.
 * - What is finished is given back to every claim byte by byte, until the time to live is over, counted from the claim.
 * - A store that joins does all that it does `within` a transaction in it: with its rollback nothing was claimed, until
 *   its end every other claim finds it running, and no claim waits for it.
 * - Each rejects when the store cannot be asked.
 */
export interface IdempotencyStore {
  /** Whether it can be part of the caller's transaction. */
  readonly joins: boolean;
  claim(claim: Claim, within?: Trx): Promise<Claimed>;
  finish(claim: Claim, result: StoredAnswer | Withheld, within?: Trx): Promise<boolean>;
  /** The lease begins anew. */
  renew(claim: Claim): Promise<boolean>;
  /** Forgets the key: the next claim is granted. */
  release(claim: Claim): Promise<boolean>;
  /** Removes what is past its time to live; gives how many. Stores that forget by themselves give 0. */
  purge(): Promise<number>;
}
