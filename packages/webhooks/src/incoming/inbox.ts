import type { Trx } from '@svc/db';

/** Who sent a webhook, and under which id. */
export interface InboxKey {
  readonly source: string;
  readonly id: string;
}

export interface InboxClaim extends InboxKey {
  /** A UUID that nobody else has. */
  readonly token: string;
}

/** Remembers which webhooks came in, so that each is worked on once. */
export interface WebhookInbox {
  /** `claimed` for one caller only, until its lease ends; `busy` for others meanwhile; `done` while it is remembered. */
  claim(claim: InboxClaim & { leaseMs: number }): Promise<'claimed' | 'busy' | 'done'>;
  /** Remembers it as done for so long; false, and nothing changes, when the claim is not this caller's any more. Within a transaction it is done when that commits. */
  finish(claim: InboxClaim & { keepMs: number }, within?: Trx): Promise<boolean>;
  /** Lets the next one have it at once; nothing when the claim is not this caller's any more. */
  release(claim: InboxClaim): Promise<void>;
  /** Forgets what is over; how many. */
  purge(): Promise<number>;
}
