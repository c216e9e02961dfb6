import type { MiddlewareHandler } from 'hono';

/** Lets `sensitive` decide where the body makes somebody an owner, who could take the tenant over. Stands behind `validated`. */
export function forOwners(sensitive: MiddlewareHandler): MiddlewareHandler<{}, string, {}> {
  return async (c, next) => {
    const { role } = c.req.valid('json' as never) as { role: string };
    return role === 'owner' ? sensitive(c, next) : next();
  };
}
