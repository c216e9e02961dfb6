import type { Clock, Logger } from '@svc/core';
import type { Claim, IdempotencyStore } from './store.ts';

/** How often a lease is renewed: an execution that hangs for good frees its key all the same. */
const maxRenewals = 30;

/** Renews the lease, three times in its length, until ended: an execution that lives keeps its key. */
export function keepLease(
  claim: Claim,
  { store, clock, logger }: { store: IdempotencyStore; clock: Clock; logger: Logger },
): { end(): void } {
  const ended = new AbortController();
  const keep = async () => {
    for (let renewals = 0; renewals < maxRenewals; renewals += 1) {
      await clock.sleep(claim.leaseMs / 3, ended.signal);
      try {
        if (!(await store.renew(claim))) return;
      } catch (error) {
        logger.warn({ err: error }, 'the lease of an idempotency key was not renewed');
      }
    }
  };
  // Rejects when it is ended while it sleeps.
  void keep().catch(() => {});
  return { end: () => ended.abort('ended') };
}
