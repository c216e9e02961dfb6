import { type Duration, isFailure, toMs, uuidv7 } from '@svc/core';
import type { Trx } from '@svc/db';
import { createMiddleware } from 'hono/factory';
import { incoming } from '../events.ts';
import { InvalidSignature, WebhookInProgress } from '../failures.ts';
import type { WebhookInbox } from '../incoming/inbox.ts';
import type { VerifiedWebhook, WebhookVerifier } from '../incoming/verify.ts';

/** The webhook that a handler works on. */
export interface ReceivedWebhook extends VerifiedWebhook {
  /** The bytes whose signature was checked. */
  readonly body: Uint8Array;
  /** Makes it done with the handler's transaction: what is written there happens once. @throws {WebhookInProgress} when it took so long that another has it. */
  done(options: { within: Trx }): Promise<void>;
}

export interface WebhookEnv {
  Variables: { webhook: ReceivedWebhook };
}

export interface RequireWebhookSignatureOptions {
  /** Whose webhooks these are: ids of two sources are two. */
  source: string;
  /** Remembers what came in, so that a repeat of it does nothing. */
  inbox: WebhookInbox;
  /** How long a handler has before another may take the same webhook up. @default 60s */
  lease?: Duration;
  /** How long what is done is remembered: longer than the sender tries. @default 7d */
  keepFor?: Duration;
  /** What events call this instance. @default 'webhooks' */
  name?: string;
}

/**
 * Lets a webhook through whose signature is right, once: a repeat is answered 204 and does nothing. An answer that is no
 * success gives it back, for the sender's next try. Limit the body before it, as `stack` of `@svc/http` does.
 *
 * @throws {InvalidSignature} @throws {WebhookInProgress}
 */
export function requireWebhookSignature(
  verify: WebhookVerifier,
  {
    source,
    inbox,
    lease = '60s',
    keepFor = '7d',
    name = 'webhooks',
  }: RequireWebhookSignatureOptions,
) {
  const leaseMs = toMs(lease);
  const keepMs = toMs(keepFor);
  return createMiddleware<WebhookEnv>(async (c, next) => {
    const body = new Uint8Array(await c.req.arrayBuffer());
    const tell = (result: 'accepted' | 'duplicate' | 'refused' | 'busy') =>
      incoming.publish(name, { source, result });
    let verified: VerifiedWebhook;
    try {
      verified = verify({ headers: c.req.raw.headers, body });
    } catch (error) {
      if (isFailure(error, InvalidSignature)) tell('refused');
      throw error;
    }
    const claim = { source, id: verified.id, token: uuidv7() };
    const state = await inbox.claim({ ...claim, leaseMs });
    if (state === 'done') {
      tell('duplicate');
      return c.body(null, 204);
    }
    if (state === 'busy') {
      tell('busy');
      throw new WebhookInProgress();
    }
    tell('accepted');
    let isDone = false;
    c.set('webhook', {
      ...verified,
      body,
      async done({ within }) {
        if (!(await inbox.finish({ ...claim, keepMs }, within))) throw new WebhookInProgress();
        isDone = true;
      },
    });
    await next();
    if (c.error !== undefined || c.res.status >= 300) await inbox.release(claim);
    else if (!isDone) await inbox.finish({ ...claim, keepMs });
    return undefined;
  });
}
