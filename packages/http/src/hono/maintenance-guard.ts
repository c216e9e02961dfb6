import type { Context, MiddlewareHandler } from 'hono';
import { ReadOnly, UnderMaintenance } from '../maintenance/failures.ts';
import type { Maintenance } from '../maintenance/maintenance.ts';
import { documentMiddleware } from './middleware-docs.ts';

export interface MaintenanceGuardOptions {
  /** Whose request it is, where that is known already. @default none: no tenant is shut out */
  tenantId?: (c: Context) => string | undefined;
  /** Whether a request is never shut out, such as that of a probe or of the route that ends maintenance. @default the probes */
  exempt?: (c: Context) => boolean;
  /** The header that carries the bypass token. @default 'X-Maintenance-Bypass' */
  bypassHeader?: string;
}

const probes = new Set(['/healthz', '/readyz', '/startupz']);
/** RFC 9110 section 9.2.1. */
const readingMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Shuts requests out while what they are for is under maintenance. Mount it again behind what knows the tenant. @throws {UnderMaintenance | ReadOnly} */
export function maintenanceGuard(
  maintenance: Maintenance,
  {
    tenantId,
    exempt = (c) => probes.has(c.req.path),
    bypassHeader = 'X-Maintenance-Bypass',
  }: MaintenanceGuardOptions = {},
): MiddlewareHandler {
  const middleware: MiddlewareHandler = async function maintenanceGuard(c, next) {
    const shut = maintenance.find({
      path: c.req.path,
      tenantId: tenantId?.(c),
      reads: readingMethods.has(c.req.method),
    });
    const passes =
      shut === undefined || exempt(c) || maintenance.isBypass(c.req.header(bypassHeader));
    if (passes) return next();
    const Refusal = shut.readOnly ? ReadOnly : UnderMaintenance;
    throw new Refusal({ retryAfterSeconds: shut.retryAfterSeconds });
  };
  return documentMiddleware(
    middleware,
    { failures: [UnderMaintenance] },
    { methods: ['POST', 'PUT', 'PATCH', 'DELETE'], failures: [ReadOnly] },
  );
}
