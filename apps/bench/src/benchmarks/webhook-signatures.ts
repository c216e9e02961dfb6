import { systemClock } from '@svc/core';
import { createWebhookSecret, createWebhookSigner, createWebhookVerifier } from '@svc/webhooks';
import { Webhook } from 'standardwebhooks';
import { type Benchmark, WrongAnswer } from '../benchmark.ts';
import { oneAfterTheOther } from '../load.ts';

const perTurn = 200;

/** Signing a message and verifying it, as sender and receiver do. */
const signatures = (bytes: number, atLeast: number): Benchmark => ({
  name: `webhook-signatures-${bytes}`,
  summary: `a body of ${bytes} bytes signed and verified`,
  reference: 'standardwebhooks',
  goals: [{ variant: 'svc', figure: 'rate', dividedBy: 'standardwebhooks', atLeast }],
  async prepare() {
    const { secret } = createWebhookSecret('v1');
    const body = JSON.stringify({ text: 'x'.repeat(bytes - 11) });
    const theirs = new Webhook(secret);
    const signer = createWebhookSigner([secret]);
    const verify = createWebhookVerifier([secret]);
    const headersOf = (signature: string, timestamp: number) => ({
      'webhook-id': 'msg_1',
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signature,
    });
    const variant = (name: string, turn: (now: Date, seconds: number) => unknown) => ({
      name,
      run: async (durationMs: number) => {
        const sample = await oneAfterTheOther(durationMs, async () => {
          const startedAt = systemClock.elapsedMs();
          const now = systemClock.now();
          const seconds = Math.floor(now.getTime() / 1000);
          for (let count = 0; count < perTurn; count += 1) turn(now, seconds);
          return (systemClock.elapsedMs() - startedAt) / perTurn;
        });
        return { ...sample, operations: sample.operations * perTurn };
      },
    });
    const refuses = (check: (signature: string, seconds: number) => unknown) => {
      const seconds = Math.floor(systemClock.now().getTime() / 1000);
      const signature = signer.sign({ id: 'msg_1', timestamp: seconds - 1, body });
      try {
        check(signature, seconds);
      } catch {
        return;
      }
      throw new WrongAnswer('a signature of another time was taken');
    };
    const ours = (signature: string, seconds: number) =>
      verify({ headers: headersOf(signature, seconds), body });
    const rival = (signature: string, seconds: number) =>
      theirs.verify(body, headersOf(signature, seconds));
    refuses(ours);
    refuses(rival);
    return {
      variants: [
        variant('svc', (_, seconds) => {
          ours(signer.sign({ id: 'msg_1', timestamp: seconds, body }), seconds);
        }),
        variant('standardwebhooks', (now, seconds) => {
          rival(theirs.sign('msg_1', now, body), seconds);
        }),
      ],
      async [Symbol.asyncDispose]() {},
    };
  },
});

export const webhookSignaturesSmall = signatures(200, 3);
export const webhookSignaturesLarge = signatures(20_000, 8);
