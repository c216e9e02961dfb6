import type { HttpEnv } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Webhooks } from '../webhooks.ts';
import { deliveryRoutes } from './delivery-routes.ts';
import { endpointRoutes } from './endpoint-routes.ts';
import type { WebhookRoutesOptions } from './options.ts';

export type { WebhookRoutesOptions } from './options.ts';
export {
  type ReceivedWebhook,
  requireWebhookSignature,
  type RequireWebhookSignatureOptions,
  type WebhookEnv,
} from './require-webhook-signature.ts';

/** What a tenant's administrators do with webhooks: `app.route('/webhooks', webhookRoutes(webhooks, …))`. */
export function webhookRoutes(webhooks: Webhooks, options: WebhookRoutesOptions) {
  return new Hono<HttpEnv>()
    .route('/', endpointRoutes(webhooks, options))
    .route('/', deliveryRoutes(webhooks, options));
}
