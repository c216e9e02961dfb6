import { uuidv7 } from '@svc/core';
import { contractTest, type SkippedPromise } from '@svc/core/testing';
import { describe, expect, test } from 'vitest';
import type { WebhookInbox } from './incoming/inbox.ts';

export interface OpenInbox {
  inbox: WebhookInbox;
  /** Lets so much time pass, by the clock of the inbox. */
  pass(ms: number): Promise<void>;
}

/** The promises of `WebhookInbox`, for an inbox of your own. */
export function describeWebhookInbox(
  name: string,
  open: () => Promise<OpenInbox>,
  { skip = [] }: { skip?: readonly SkippedPromise[] } = {},
): void {
  const promise = contractTest(test, skip);
  const keyed = () => ({ source: 'stripe', id: uuidv7() });
  const leaseMs = 60_000;
  const keepMs = 60_000;
  describe(name, () => {
    promise('of fifty at once one gets it', async () => {
      const { inbox } = await open();
      const key = keyed();
      const claims = Array.from({ length: 50 }, () =>
        inbox.claim({ ...key, token: uuidv7(), leaseMs }),
      );
      const results = await Promise.all(claims);
      expect(results.filter((each) => each === 'claimed')).toHaveLength(1);
      expect(results.filter((each) => each === 'busy')).toHaveLength(49);
    });
    promise('what is done stays done as long as it is kept', async () => {
      const { inbox, pass } = await open();
      const claim = { ...keyed(), token: uuidv7() };
      expect(await inbox.claim({ ...claim, leaseMs })).toBe('claimed');
      expect(await inbox.finish({ ...claim, keepMs: 400 })).toBe(true);
      const again = { ...claim, token: uuidv7(), leaseMs };
      expect(await inbox.claim(again)).toBe('done');
      expect(await inbox.finish({ ...again, keepMs })).toBe(false);
      await pass(450);
      expect(await inbox.claim(again)).toBe('claimed');
    });
    promise('what was released is free at once, and only its holder releases it', async () => {
      const { inbox } = await open();
      const claim = { ...keyed(), token: uuidv7() };
      await inbox.claim({ ...claim, leaseMs });
      await inbox.release({ ...claim, token: uuidv7() });
      expect(await inbox.claim({ ...claim, token: uuidv7(), leaseMs })).toBe('busy');
      await inbox.release(claim);
      expect(await inbox.claim({ ...claim, token: uuidv7(), leaseMs })).toBe('claimed');
    });
    promise('whose lease has ended can neither finish nor release what another has', async () => {
      const { inbox, pass } = await open();
      const claim = { ...keyed(), token: uuidv7() };
      await inbox.claim({ ...claim, leaseMs: 200 });
      await pass(250);
      const other = { ...claim, token: uuidv7() };
      expect(await inbox.claim({ ...other, leaseMs })).toBe('claimed');
      expect(await inbox.finish({ ...claim, keepMs })).toBe(false);
      await inbox.release(claim);
      expect(await inbox.finish({ ...other, keepMs })).toBe(true);
    });
    promise('an id of one source is not that of another', async () => {
      const { inbox } = await open();
      const key = keyed();
      await inbox.claim({ ...key, token: uuidv7(), leaseMs });
      expect(await inbox.claim({ ...key, source: 'github', token: uuidv7(), leaseMs })).toBe(
        'claimed',
      );
    });
    promise('a purge forgets what is over and nothing else', async () => {
      const { inbox, pass } = await open();
      const [over, kept] = [keyed(), keyed()].map((key) => ({ ...key, token: uuidv7() })) as [
        { source: string; id: string; token: string },
        { source: string; id: string; token: string },
      ];
      for (const claim of [over, kept]) await inbox.claim({ ...claim, leaseMs });
      await inbox.finish({ ...over, keepMs: 1 });
      await inbox.finish({ ...kept, keepMs });
      await pass(50);
      expect(await inbox.purge()).toBeGreaterThanOrEqual(1);
      expect(await inbox.claim({ ...kept, token: uuidv7(), leaseMs })).toBe('done');
    });
  });
}
