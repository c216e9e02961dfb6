import type { AuthEnv } from '@svc/auth/hono';
import type { TenantPrincipal } from '@svc/tenancy/hono';
import type { Context } from 'hono';

/** Who makes a request, as tenants see it; behind `requireUser`. */
export function tenantPrincipal(c: Context<AuthEnv>): TenantPrincipal {
  const { userId, user, session, apiKey, tenantId } = c.get('principal');
  return {
    userId,
    tenantId,
    email: user.verifiedAt === null ? undefined : user.email,
    selector:
      apiKey === null
        ? session && { kind: 'session', id: session.id }
        : { kind: 'api_key', id: apiKey.id },
  };
}
