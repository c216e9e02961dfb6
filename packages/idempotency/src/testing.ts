import { uuidv7 } from '@svc/core';
import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StoredAnswer } from './answer.ts';
import { fingerprintOf } from './fingerprint.ts';
import { identify } from './key.ts';
import type { Claim, IdempotencyStore } from './store.ts';

/** A store and a way to let its time pass. */
export interface IdempotencyStoreHarness {
  /** Two of them on the same keys, as two processes have them; a store of one process twice. */
  stores: readonly [IdempotencyStore, IdempotencyStore];
  /** Lets at least so much of the store's time pass. */
  wait(ms: number): Promise<void>;
  close?(): Promise<void>;
}

export interface DescribeIdempotencyStoreOptions {
  /** Promises that this store does not make, and why. @default none */
  skip?: readonly SkippedPromise[];
}

const answer: StoredAnswer = {
  status: 201,
  headers: [
    ['content-type', 'application/octet-stream'],
    ['etag', '"ä, \\"1"'],
  ],
  // Every byte: what is kept need not be text.
  body: Uint8Array.from({ length: 256 }, (_, byte) => byte),
};
const empty: StoredAnswer = { status: 204, headers: [], body: new Uint8Array(0) };

/** The promises of `IdempotencyStore`, as tests: run it on every store. Each test uses keys of its own. */
export function describeIdempotencyStore(
  name: string,
  open: () => IdempotencyStoreHarness | Promise<IdempotencyStoreHarness>,
  { skip = [] }: DescribeIdempotencyStoreOptions = {},
): void {
  describe(`${name} as an idempotency store`, () => {
    let harness: IdempotencyStoreHarness;
    let keys = 0;
    beforeEach(async () => {
      harness = await open();
    });
    afterEach(() => harness.close?.());

    const declare = contractTest(test, skip);
    const promise = (
      title: string,
      run: (one: IdempotencyStore, other: IdempotencyStore) => Promise<void>,
    ) => declare(title, () => run(...harness.stores));
    const hashOf = (text: string) =>
      fingerprintOf('bytes', { body: new TextEncoder().encode(text) });
    const newClaim = (changes: Partial<Claim> = {}): Claim => ({
      id: identify({ caller: name, method: 'POST', route: '/' }, `${uuidv7()}-${(keys += 1)}`),
      fingerprint: hashOf('request'),
      token: uuidv7(),
      leaseMs: 60_000,
      ttlMs: 3_600_000,
      ...changes,
    });
    const again = (claim: Claim, changes: Partial<Claim> = {}): Claim => ({
      ...claim,
      token: uuidv7(),
      ...changes,
    });

    promise('of 64 claims at once for one key exactly one is granted', async (one, other) => {
      const first = newClaim();
      const claims = Array.from({ length: 64 }, () => again(first));
      const all = await Promise.all(
        claims.map((claim, at) => (at % 2 === 0 ? one : other).claim(claim)),
      );
      expect(all.filter(({ state }) => state === 'granted')).toHaveLength(1);
      expect(all.filter(({ state }) => state === 'running')).toHaveLength(63);
      const holder = claims[all.findIndex(({ state }) => state === 'granted')] as Claim;
      expect(await one.finish(holder, answer)).toBe(true);
    });

    promise(
      'while it runs others learn the fingerprint and what is left of the lease',
      async (one, other) => {
        const claim = newClaim();
        await one.claim(claim);
        const found = await other.claim(again(claim, { fingerprint: hashOf('another') }));
        expect(found).toMatchObject({ state: 'running', fingerprint: claim.fingerprint });
        const { leaseLeftMs } = found as { leaseLeftMs: number };
        expect(leaseLeftMs).toBeGreaterThan(50_000);
        expect(leaseLeftMs).toBeLessThanOrEqual(60_000);
      },
    );

    promise('what is finished is given back byte by byte, to everybody', async (one, other) => {
      for (const result of [answer, empty]) {
        const claim = newClaim();
        await one.claim(claim);
        expect(await one.finish(claim, result)).toBe(true);
        for (const store of [one, other, other])
          expect(await store.claim(again(claim))).toEqual({
            state: 'finished',
            fingerprint: claim.fingerprint,
            result,
          });
      }
    });

    promise(
      'what is withheld is finished, with the reason and without an answer',
      async (one, other) => {
        for (const reason of ['sensitive', 'streamed', 'too_large', 'late'] as const) {
          const claim = newClaim();
          await one.claim(claim);
          expect(await one.finish(claim, reason)).toBe(true);
          expect(await other.claim(again(claim))).toMatchObject({
            state: 'finished',
            result: reason,
          });
        }
      },
    );

    promise('what was released is granted again', async (one, other) => {
      const claim = newClaim();
      await one.claim(claim);
      expect(await one.release(claim)).toBe(true);
      expect(await other.claim(again(claim, { fingerprint: hashOf('another') }))).toEqual({
        state: 'granted',
      });
    });

    promise(
      'a lease that has ended is granted to one of many, for the same request only',
      async (one, other) => {
        const claim = newClaim({ leaseMs: 150 });
        await one.claim(claim);
        await harness.wait(151);
        expect(await other.claim(again(claim, { fingerprint: hashOf('another') }))).toMatchObject({
          state: 'running',
          fingerprint: claim.fingerprint,
          leaseLeftMs: 0,
        });
        const all = await Promise.all(
          Array.from({ length: 32 }, (_, at) =>
            (at % 2 === 0 ? one : other).claim(again(claim, { leaseMs: 60_000 })),
          ),
        );
        expect(all.filter(({ state }) => state === 'granted')).toHaveLength(1);
      },
    );

    promise('who comes too late can neither finish nor renew nor release', async (one, other) => {
      const late = newClaim({ leaseMs: 150 });
      await one.claim(late);
      await harness.wait(151);
      const holder = again(late, { leaseMs: 60_000 });
      await other.claim(holder);
      expect(await one.finish(late, empty)).toBe(false);
      expect(await one.renew(late)).toBe(false);
      expect(await one.release(late)).toBe(false);
      expect(await other.finish(holder, answer)).toBe(true);
      expect(await one.finish(late, empty)).toBe(false);
      expect(await other.finish(holder, empty)).toBe(false);
      expect(await other.renew(holder)).toBe(false);
      expect(await other.release(holder)).toBe(false);
      expect(await one.claim(again(late))).toMatchObject({ state: 'finished', result: answer });
    });

    promise('who is late but was not overtaken finishes', async (one, other) => {
      const claim = newClaim({ leaseMs: 150 });
      await one.claim(claim);
      await harness.wait(151);
      expect(await one.finish(claim, answer)).toBe(true);
      expect(await other.claim(again(claim))).toMatchObject({ state: 'finished' });
    });

    promise('a lease that is renewed begins anew', async (one, other) => {
      const claim = newClaim({ leaseMs: 400 });
      await one.claim(claim);
      await harness.wait(250);
      expect(await one.renew(claim)).toBe(true);
      await harness.wait(250);
      expect(await other.claim(again(claim))).toMatchObject({ state: 'running' });
    });

    promise(
      'a key is free when its time to live is over, whatever it was used for',
      async (one, other) => {
        const claim = newClaim({ leaseMs: 100, ttlMs: 150 });
        await one.claim(claim);
        await one.finish(claim, answer);
        await harness.wait(151);
        const next = again(claim, { fingerprint: hashOf('another'), ttlMs: 3_600_000 });
        expect(await other.claim(next)).toEqual({ state: 'granted' });
        expect(await other.claim(again(next))).toMatchObject({ state: 'running' });
      },
    );

    promise('keys do not know of each other', async (one) => {
      const all = await Promise.all(Array.from({ length: 30 }, () => one.claim(newClaim())));
      expect(all.every(({ state }) => state === 'granted')).toBe(true);
    });
  });
}
