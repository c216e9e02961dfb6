import type { HttpEnv } from '@svc/http/hono';
import { Hono, type MiddlewareHandler } from 'hono';
import type { Tenancy } from '../tenancy.ts';
import { invitationRoutes } from './invitation-routes.ts';
import { memberRoutes } from './member-routes.ts';
import type { PrincipalOf } from './principal.ts';
import { tenantsRoutes } from './tenants-routes.ts';

export interface TenantRoutesOptions {
  /** Who makes the request, behind `guard`. */
  principal: PrincipalOf;
  /** Lets pass who is signed in; the app's. Of `@svc/auth`: `requireUser(auth)`. */
  guard: MiddlewareHandler;
  /** The same, before what others could take a tenant over by: handing it over, making or inviting an owner, deleting it and bringing it back. Of `@svc/auth`: `requireUser(auth, { maxAge: '1h' })`. @default guard */
  sensitive?: MiddlewareHandler;
  /** The same, before selecting a tenant: to let API keys in, too. Of `@svc/auth`: `requireUser(auth, { accept: 'any' })`. @default guard */
  selecting?: MiddlewareHandler;
}

/** `/tenants` and `/invitations`: `app.route('/', tenantRoutes(tenancy, …))`. The tenant of the path is checked as any other. */
export function tenantRoutes(tenancy: Tenancy, options: TenantRoutesOptions) {
  return new Hono<HttpEnv>()
    .route('/tenants', tenantsRoutes(tenancy, options))
    .route('/tenants', memberRoutes(tenancy, options))
    .route('/', invitationRoutes(tenancy, options));
}
