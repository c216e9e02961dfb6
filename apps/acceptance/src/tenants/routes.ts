import type { Audit } from '@svc/audit';
import { auditRoutes } from '@svc/audit/hono';
import { type Auth, MfaEnrolmentRequired } from '@svc/auth';
import { type AuthEnv, type PagesOptions, requireTenantMfa, requireUser } from '@svc/auth/hono';
import { operation, validated } from '@svc/http/hono';
import { RoleRequired, type Tenancy, TenantNotFound, TenantSuspended } from '@svc/tenancy';
import { requireTenant, requireTenantRole, type TenantEnv } from '@svc/tenancy/hono';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import { tenantMfa } from './mfa.ts';
import { tenantPrincipal } from './principal.ts';
import type { TenantSecurity } from './security.ts';

type Env = AuthEnv & TenantEnv;

interface TenantRoutesNeeds {
  auth: Auth;
  tenancy: Tenancy;
  security: TenantSecurity;
  audit: Audit;
  /** Stands where person and tenant are known. */
  limit: MiddlewareHandler;
}

const TenantId = v.strictObject({ id: v.pipe(v.string(), v.uuid()) });
const Rules = v.strictObject({
  requiresMfa: v.pipe(
    v.boolean(),
    v.description('Whether nobody works in the tenant who has not shown a second factor.'),
  ),
});

/** `/tenants/:id/security` and `/tenants/:id/audit`: what the tenant demands of its members, and what they did. */
export function ownTenantRoutes(
  { auth, tenancy, security, audit, limit }: TenantRoutesNeeds,
  pages: PagesOptions,
) {
  const found = requireTenant(tenancy, {
    principal: tenantPrincipal,
    override: (c) => c.req.param('id'),
  });
  const member = [requireUser(auth, pages), found, tenantMfa(auth, security), limit] as const;
  const confirmed = requireUser(auth, { ...pages, level: 'highest', maxAge: '1h' });
  // Who demands it of others has one: or the first whom it keeps out is the owner.
  const shown = requireTenantMfa(auth, {
    tenantOf: (c) => c.get('tenant').id,
    demands: () => true,
  });
  const tags = ['Tenants'];
  const refusals = [TenantNotFound, TenantSuspended];
  const toBody = ({ requiresMfa }: { requiresMfa: boolean }) => ({ requiresMfa });

  const log = new Hono<Env>().use(...member, validated('param', TenantId)).route(
    '/',
    auditRoutes(audit, {
      name: 'Tenant',
      guard: requireTenantRole(tenancy, 'admin') as MiddlewareHandler,
      scopeOf: (c: Context<Env>) => c.get('tenant').id,
      actorOf: (c: Context<Env>) => c.get('tenant').actor,
    }),
  );
  return new Hono<Env>()
    .get(
      '/:id/security',
      operation({
        id: 'getTenantSecurity',
        summary: 'Read what a tenant demands of its members',
        tags,
        responses: { 200: { description: 'What it demands', schema: Rules } },
        failures: refusals,
      }),
      ...member,
      validated('param', TenantId),
      async (c) => c.json(toBody(await security.of(c.get('tenant').id))),
    )
    .put(
      '/:id/security',
      operation({
        id: 'setTenantSecurity',
        summary: 'Say what a tenant demands of its members',
        description:
          'For owners, who have shown a second factor in the last hour. In force within a second. Who has none gets `auth.mfa_enrolment_required` and sets one up at `/auth/mfa`; they may still leave. An API key counts by the session that made it.',
        tags,
        responses: { 200: { description: 'What it demands', schema: Rules } },
        failures: [...refusals, RoleRequired, MfaEnrolmentRequired],
      }),
      confirmed,
      found,
      limit,
      requireTenantRole(tenancy, 'owner'),
      shown as unknown as MiddlewareHandler<Env>,
      validated('param', TenantId),
      validated('json', Rules),
      async (c) => {
        const { id, actor } = c.get('tenant');
        const by = { actor, requestId: c.get('requestId') };
        return c.json(toBody(await security.set(id, c.req.valid('json'), by)));
      },
    )
    .route('/:id/audit', log);
}
