import type { Auth } from '@svc/auth';
import { type AuthEnv, type PagesOptions, requireAbac, requireUser } from '@svc/auth/hono';
import type { Tenancy } from '@svc/tenancy';
import { requireTenant, type TenantEnv } from '@svc/tenancy/hono';
import type { Webhooks } from '@svc/webhooks';
import { webhookRoutes } from '@svc/webhooks/hono';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { authorization } from '../authorization.ts';
import type { TenantMfa } from '../tenants/mfa.ts';
import { tenantPrincipal } from '../tenants/principal.ts';

type Env = AuthEnv & TenantEnv;

interface WebhookRoutesNeeds {
  webhooks: Webhooks;
  auth: Auth;
  tenancy: Tenancy;
  /** Stands behind what finds the tenant. */
  mfa: TenantMfa;
  /** Stands where person and tenant are known. */
  limit: MiddlewareHandler;
}

/** `/webhooks`: the endpoints of the tenant that the request is for, and what was sent to them; for its admins and owners. */
export function tenantWebhookRoutes(
  { webhooks, auth, tenancy, mfa, limit }: WebhookRoutesNeeds,
  pages: PagesOptions,
) {
  // Of two contexts the setters are not assignable, though this one has all that the other has.
  const guard: MiddlewareHandler<Env> = (c, next) => {
    const about = { tenant: c.get('tenant') };
    return requireAbac(auth, 'webhook.manage', (principal) =>
      authorization.can(principal, 'webhook.manage', about),
    )(c as unknown as Context<AuthEnv>, next);
  };
  return new Hono<Env>()
    .use(requireUser(auth, { ...pages, accept: 'any' }))
    .use(requireTenant(tenancy, { principal: tenantPrincipal }))
    .use(mfa)
    .use(limit)
    .route(
      '/',
      webhookRoutes(webhooks, {
        tenantOf: (c: Context<Env>) => c.get('tenant').id,
        actorOf: (c: Context<Env>) => c.get('tenant').actor,
        guard,
      }),
    );
}
