import { documentMiddleware } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import { recordAlone } from '../acts.ts';
import type { Auth } from '../auth.ts';
import { InsufficientAuthentication, MfaEnrolmentRequired } from '../failures.ts';
import { actorOf, type Principal } from '../principal.ts';
import { originOf } from './origin.ts';
import { type AuthEnv, insufficient } from './require-user.ts';

export interface RequireTenantMfaOptions {
  /** The tenant that a request is for; earlier middleware has found it out. */
  tenantOf: (c: Context) => string;
  /** Whether the tenant lets in only those who showed a second factor. */
  demands: (tenantId: string, principal: Principal) => boolean | Promise<boolean>;
}

/**
 * Lets nobody work without a second factor in a tenant that demands one; stands behind `requireUser` and what finds the
 * tenant. An API key counts by the session that made it. A denial is audited.
 *
 * @throws {InsufficientAuthentication} with a challenge of RFC 9470, for those who have a second factor and did not show it.
 * @throws {MfaEnrolmentRequired} for those who have none.
 */
export function requireTenantMfa(
  auth: Auth,
  { tenantOf, demands }: RequireTenantMfaOptions,
): MiddlewareHandler<AuthEnv> {
  const middleware: MiddlewareHandler<AuthEnv> = async (c, next) => {
    const principal = c.get('principal');
    const tenantId = tenantOf(c);
    if (typeof tenantId !== 'string')
      throw new TypeError('requireTenantMfa stands behind what finds the tenant');
    const { session, apiKey, user } = principal;
    if ((apiKey ?? session)?.level === 2) return next();
    // Only a clear no: an accessor that fails to answer opens nothing.
    if ((await demands(tenantId, principal)) === false) return next();
    const { userId } = principal;
    const details = { rule: 'tenant_mfa', route: c.req.routePath, method: c.req.method };
    const act = { type: 'auth.access.denied', outcome: 'denied', userId, tenantId } as const;
    await recordAlone(
      auth['~context'],
      { ...act, actor: actorOf(principal), details },
      { origin: originOf(c) },
    );
    if (apiKey === null && user.mfaEnabledAt === null) throw new MfaEnrolmentRequired();
    throw insufficient(c, { level: 2 });
  };
  return documentMiddleware(middleware, {
    failures: [InsufficientAuthentication, MfaEnrolmentRequired],
  });
}
