import { type Auth, InsufficientAuthentication, MfaEnrolmentRequired } from '@svc/auth';
import { type AuthEnv, requireTenantMfa } from '@svc/auth/hono';
import { documentMiddleware } from '@svc/http/hono';
import type { Tenancy } from '@svc/tenancy';
import type { TenantEnv } from '@svc/tenancy/hono';
import type { MiddlewareHandler } from 'hono';
import type { TenantSecurity } from './security.ts';

export type TenantMfa = MiddlewareHandler<AuthEnv & TenantEnv>;

/** Lets nobody without a second factor work in a tenant that demands one; stands behind `requireTenant`. */
export function tenantMfa(auth: Auth, { requiresMfa }: TenantSecurity): TenantMfa {
  return requireTenantMfa(auth, {
    tenantOf: (c) => c.get('tenant').id,
    demands: (tenantId) => requiresMfa(tenantId),
  }) as unknown as TenantMfa;
}

/**
 * The same for the tenant of the path, `/tenants/:id`, of a route that finds out by itself who is a member. One who has no
 * second factor may still leave.
 */
export function tenantMfaOfPath(
  auth: Auth,
  tenancy: Tenancy,
  { requiresMfa }: TenantSecurity,
): MiddlewareHandler<AuthEnv> {
  const required = requireTenantMfa(auth, {
    tenantOf: (c) => c.req.param('id') as string,
    // Of a tenant of others nothing is told.
    demands: async (tenantId, { userId }) =>
      (await tenancy.membershipOf(tenantId, userId)) !== null && (await requiresMfa(tenantId)),
  });
  const middleware: MiddlewareHandler<AuthEnv> = (c, next) => {
    const isOfTenant = c.req.param('id') !== undefined;
    return isOfTenant && !c.req.path.endsWith('/leave') ? required(c, next) : next();
  };
  return documentMiddleware(middleware, {
    failures: [InsufficientAuthentication, MfaEnrolmentRequired],
  });
}
