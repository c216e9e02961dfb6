import type { WebhooksContext } from './context.ts';
import type { FoundDelivery } from './queries.ts';
import { openSecret } from './secrets.ts';
import type { Outgoing } from './send.ts';
import { hmacSha256 } from './signing/hmac.ts';
import { createWebhookSigner } from './signing/sign.ts';

export const headersContext = (tenantId: string, endpointId: string) =>
  `webhooks.headers:${tenantId}:${endpointId}`;

/** The request of one try: signed anew, because it is sent at another time. */
export function toOutgoing(context: WebhooksContext, found: FoundDelivery): Outgoing {
  const { tenant_id: tenantId, event_id: id, endpoint_id: endpointId } = found;
  const body = found.body ?? '';
  const secrets = (found.secrets ?? []).map((each) => ({
    scheme: each.scheme,
    secret: openSecret(context, { tenantId, ...each }),
  }));
  const timestamp = Math.floor(context.clock.now().getTime() / 1000);
  const signature = createWebhookSigner(secrets.map(({ secret }) => secret)).sign({
    id,
    timestamp,
    body,
  });
  const own = openHeaders(context, found.sealed_headers, headersContext(tenantId, endpointId));
  // One that signs one way only cannot serve two secrets: the oldest is the one that every receiver still has.
  const oldest = secrets.find(({ scheme }) => scheme === 'v1');
  return {
    url: found.url,
    body,
    headers: {
      ...own,
      'content-type': 'application/json',
      'user-agent': 'svc-webhooks/1',
      'webhook-id': id,
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signature,
      ...(context.hasBodySignature && oldest !== undefined && bodySignature(oldest.secret, body)),
    },
    secrets: [
      ...Object.values(own),
      ...signature.split(' ').map((each) => each.split(',')[1] ?? ''),
    ],
  };
}

function openHeaders(
  { cipher }: WebhooksContext,
  sealed: string | null,
  context: string,
): Record<string, string> {
  if (sealed === null) return {};
  return JSON.parse(cipher.open(sealed, context)) as Record<string, string>;
}

const bodySignature = (secret: string, body: string) => ({
  'x-signature': hmacSha256(secret, body).toString('hex'),
  'x-signature-alg': 'hmac-sha256',
  'x-signature-version': 'v1',
});
