import type { Logger } from '@svc/core';
import { documentMiddleware, type HttpEnv } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import { type Actor, actorOf, recordAlone } from '../acts.ts';
import { RoleRequired, TenantMismatch, TenantNotFound, TenantSuspended } from '../failures.ts';
import type { Membership } from '../memberships.ts';
import { isOther, tenantNeeded } from '../resolution.ts';
import type { Tenancy } from '../tenancy.ts';
import { originOf, type PrincipalOf } from './principal.ts';

/** The tenant that a request is for, and the role that the caller has in it. */
export interface ActiveTenant {
  readonly id: string;
  readonly name: string;
  readonly role: string;
  readonly userId: string;
  /** Who acts, for the audit log: the key that the request was made with, or else the user. */
  readonly actor: Actor;
}

/** What routes behind `requireTenant` find in their context. */
export type TenantEnv = { Variables: HttpEnv['Variables'] & { tenant: ActiveTenant } };

/** What routes behind `optionalTenant` find in theirs. */
export type OptionalTenantEnv = {
  Variables: HttpEnv['Variables'] & { tenant: ActiveTenant | undefined };
};

export interface RequireTenantOptions {
  /** Who makes the request; it has been found out before. */
  principal: PrincipalOf;
  /** The id of the tenant that the host or the path stands for; `null` where they say nothing. @default none */
  override?: (c: Context) => string | null | undefined | Promise<string | null | undefined>;
}

/**
 * Lets pass members of the tenant that the request names: by `override`, by what its session or API key has selected, by
 * the header `X-Tenant-Id`, or by the context variable `tenantId` of earlier middleware, the first that says something. A
 * header that says another than what is selected is refused, so that nothing is done in a tenant that was not meant.
 * Who may work in one tenant only is in it, and nowhere else.
 * Saying grants nothing: the membership is looked up, now. Sets `tenant`.
 *
 * @throws {TenantMismatch}
 * @throws {TenantNotFound} alike for no tenant, an unknown one, and one of others.
 * @throws {TenantSuspended}
 */
export function requireTenant(
  tenancy: Tenancy,
  options: RequireTenantOptions,
): MiddlewareHandler<TenantEnv> {
  const middleware: MiddlewareHandler<TenantEnv> = async (c, next) => {
    const membership = await resolve(tenancy, c, options);
    if (membership === null) throw tenantNeeded();
    enter(c, membership, options);
    return next();
  };
  return documentMiddleware(middleware, namesTenant);
}

const namesTenant = {
  requestHeaders: {
    'X-Tenant-Id': {
      description: 'The tenant that the request is for, where session or key has selected none.',
      schema: { type: 'string', maxLength: 64 },
    },
  },
  failures: [TenantMismatch, TenantNotFound, TenantSuspended],
};

/** The same, but lets requests pass that name no tenant. One that names somebody else's is refused as by `requireTenant`. @throws {TenantMismatch} @throws {TenantNotFound} @throws {TenantSuspended} */
export function optionalTenant(
  tenancy: Tenancy,
  options: RequireTenantOptions,
): MiddlewareHandler<OptionalTenantEnv> {
  const middleware: MiddlewareHandler<OptionalTenantEnv> = async (c, next) => {
    const membership = await resolve(tenancy, c, options);
    if (membership !== null) enter(c, membership, options);
    return next();
  };
  return documentMiddleware(middleware, namesTenant);
}

/** Lets pass who has at least this role in the tenant; stands behind `requireTenant`. A denial is audited. @throws {RoleRequired} */
export function requireTenantRole<Role extends string>(
  tenancy: Tenancy<Role>,
  role: NoInfer<Role>,
): MiddlewareHandler<TenantEnv> {
  const { ladder } = tenancy;
  if (!ladder.isRole(role)) throw new TypeError(`there is no role '${role}'`);
  const middleware: MiddlewareHandler<TenantEnv> = async (c, next) => {
    const { id: tenantId, role: own, actor } = tenantOf(c);
    if (ladder.reaches(own, role)) return next();
    // The path as it was declared: what a client wrote may hold anything.
    const details = { role, route: c.req.routePath, method: c.req.method };
    const denied = { type: 'tenancy.access.denied', outcome: 'denied', details } as const;
    const origin = originOf(c);
    await recordAlone(tenancy['~context'], { ...denied, tenantId, actor }, { origin });
    throw new RoleRequired();
  };
  return documentMiddleware(middleware, { failures: [RoleRequired] });
}

/** @throws {TypeError} where `requireTenant` does not stand before. */
export function tenantOf(c: Context): ActiveTenant {
  const tenant = c.get('tenant') as ActiveTenant | undefined;
  if (tenant === undefined) throw new TypeError('this stands behind requireTenant');
  return tenant;
}

async function resolve(
  tenancy: Tenancy,
  c: Context,
  { principal, override }: RequireTenantOptions,
): Promise<Membership | null> {
  const { userId, selector, tenantId: held = null } = principal(c);
  const named = {
    override: await override?.(c),
    header: c.req.header('X-Tenant-Id'),
    variable: c.get('tenantId') as string | undefined,
  };
  if (held === null) return tenancy.resolve(userId, { ...named, selector });
  // Never another one in its place: what was asked for would happen where nobody expects it.
  if (isOther(named.override, held) || isOther(named.variable, held)) throw tenantNeeded();
  if (isOther(named.header, held)) throw new TenantMismatch();
  return tenancy.resolve(userId, { override: held });
}

function enter(
  c: Context,
  { tenantId, userId, role, tenant }: Membership,
  { principal }: RequireTenantOptions,
): void {
  const actor = actorOf(userId, { origin: originOf(c, principal(c)) });
  c.set('tenant', { id: tenantId, name: tenant.name, role, userId, actor } satisfies ActiveTenant);
  const logger = c.get('logger') as Logger | undefined;
  if (logger !== undefined) c.set('logger', logger.child({ tenantId }));
}
