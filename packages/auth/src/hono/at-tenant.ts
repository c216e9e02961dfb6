import type { Context, MiddlewareHandler } from 'hono';
import type { Auth } from '../auth.ts';
import { tenantVariable } from './origin.ts';
import type { AuthEnv, PagesOptions } from './require-user.ts';

/** Finds out at whose door a request came in, for `originOf`. @throws {TypeError} where identities belong to tenants and `tenantOf` is missing */
export function tenantFinder(
  auth: Auth,
  { tenantOf }: PagesOptions,
): (c: Context) => Promise<void> {
  if (auth['~context'].identities === 'global') return async () => {};
  if (tenantOf === undefined)
    throw new TypeError('where identities belong to tenants, the option tenantOf is needed');
  return async (c) => c.set(tenantVariable, (await tenantOf(c)) ?? null);
}

/** The same before all routes of a part. */
export function atTenant(auth: Auth, options: PagesOptions): MiddlewareHandler<AuthEnv> {
  const find = tenantFinder(auth, options);
  return async (c, next) => {
    await find(c);
    return next();
  };
}
