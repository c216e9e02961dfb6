import type { MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { RouterRoute } from 'hono/types';
import { findTargetHandler, isMiddleware } from 'hono/utils/handler';
import { MethodNotAllowed } from '../failures.ts';
import type { AnyApp } from './any-app.ts';

/**
 * Answers a method that a path does not have, before any other work, with 405 and `Allow`
 * (RFC 9110 section 15.5.6), and `OPTIONS` with 204 and `Allow`.
 *
 * @throws {MethodNotAllowed}
 */
export function methodNotAllowed(app: AnyApp): MiddlewareHandler {
  let methods: readonly string[] | undefined;
  return async function methodNotAllowed(c, next) {
    if (matchedRoutes(c).some(answers)) return next();
    methods ??= [...new Set(app.routes.map((route) => route.method))].filter(
      (method) => method !== 'ALL',
    );
    const allowed = methods.filter((method) =>
      app.router.match(method, c.req.path)[0].some(([[, route]]) => answers(route)),
    );
    if (allowed.length === 0) return next();
    const allow = [...allowed, ...(allowed.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].toSorted();
    if (c.req.method === 'OPTIONS') return c.body(null, 204, { Allow: allow.join(', ') });
    throw new MethodNotAllowed(allow);
  };
}

// `app.use` and `app.all` register alike; what takes `next` passes on instead of answering.
function answers(route: RouterRoute): boolean {
  return route.method !== 'ALL' || !isMiddleware(findTargetHandler(route.handler));
}
