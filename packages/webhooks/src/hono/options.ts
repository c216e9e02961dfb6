import type { Context, MiddlewareHandler } from 'hono';
import type { ActingFor, Actor } from '../acts.ts';
import type { TenantWebhooks, Webhooks } from '../webhooks.ts';

export interface WebhookRoutesOptions {
  /** The tenant of a request, as the app checked it; never what the client says. */
  tenantOf: (c: Context) => string;
  /** Who makes it: for the audit log. */
  actorOf: (c: Context) => Actor;
  /** Lets pass who may administer the tenant's webhooks; the app's. */
  guard: MiddlewareHandler;
}

/** What a request works with. */
export function ofRequest(
  webhooks: Webhooks,
  c: Context,
  { tenantOf, actorOf }: WebhookRoutesOptions,
): TenantWebhooks {
  const origin: ActingFor['origin'] = {
    address: c.get('clientAddress') as string | undefined,
    device: c.req.header('User-Agent')?.slice(0, 200),
    requestId: c.get('requestId') as string | undefined,
  };
  return webhooks.forTenant(tenantOf(c), { actor: actorOf(c), origin });
}
