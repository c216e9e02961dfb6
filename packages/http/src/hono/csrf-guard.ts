import { createMiddleware } from 'hono/factory';
import { CrossSite } from '../failures.ts';

export interface CsrfGuardOptions {
  /** Origins whose pages may send unsafe requests with cookies. */
  origins: readonly string[];
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

/**
 * Refuses unsafe requests that a browser sends from a page of another site: by `Sec-Fetch-Site`, and by
 * `Origin` where the browser is too old to say (OWASP CSRF Prevention Cheat Sheet). A client that sends
 * neither is no browser. `same-site` counts as foreign unless its origin is listed.
 *
 * @throws {CrossSite}
 */
export function csrfGuard({ origins }: CsrfGuardOptions) {
  return createMiddleware(async function csrfGuard(c, next) {
    if (safeMethods.has(c.req.method)) return next();
    const site = c.req.header('sec-fetch-site');
    const origin = c.req.header('origin');
    const listed = origin !== undefined && origins.includes(origin);
    const own = site === undefined ? origin === undefined : site === 'same-origin' || site === 'none';
    if (!own && !listed) throw new CrossSite();
    return next();
  });
}
