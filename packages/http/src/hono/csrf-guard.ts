import type { Context, MiddlewareHandler } from 'hono';
import { CrossSite } from '../failures.ts';
import { parseOrigins } from '../origins.ts';

export interface CsrfGuardOptions {
  /** Origins whose pages may send requests with cookies, this service's own among them (for browsers without Sec-Fetch-Site). @default [] */
  origins?: readonly string[];
  /** Which unsafe requests are guarded. @default those that carry a cookie */
  guards?: (c: Context) => boolean;
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE']);

/**
 * Refuses unsafe requests that another site made a browser send with its cookies: `Sec-Fetch-Site` must
 * be `same-origin` or `none`, or else `Origin` one of the listed (OWASP CSRF Prevention, Fetch Metadata).
 *
 * @throws {CrossSite}
 * @throws {TypeError} when an origin is not one.
 */
export function csrfGuard({
  origins = [],
  guards = (c) => c.req.header('Cookie') !== undefined,
}: CsrfGuardOptions = {}): MiddlewareHandler {
  const listed = parseOrigins(origins);
  return async function csrfGuard(c, next) {
    if (!safeMethods.has(c.req.method) && guards(c)) {
      const site = c.req.header('Sec-Fetch-Site');
      const origin = c.req.header('Origin');
      const isOwn = site === 'same-origin' || site === 'none';
      if (!isOwn && (origin === undefined || !listed.has(origin))) throw new CrossSite();
    }
    await next();
  };
}
