import { createMiddleware } from 'hono/factory';

export interface SecurityHeadersOptions {
  /** Seconds a browser insists on HTTPS. @default 31536000 (a year) */
  hstsSeconds?: number;
}

/** What an answer that is no page may do in a browser: nothing (OWASP REST Security Cheat Sheet). */
export const apiPolicy = "default-src 'none'; frame-ancestors 'none'";

/** The security headers of every answer. A page sets its own Content-Security-Policy; what it sets stays. */
export function securityHeaders({ hstsSeconds = 31_536_000 }: SecurityHeadersOptions = {}) {
  const defaults: [string, string][] = [
    ['strict-transport-security', `max-age=${hstsSeconds}; includeSubDomains`],
    ['x-content-type-options', 'nosniff'],
    ['referrer-policy', 'no-referrer'],
    ['x-frame-options', 'DENY'],
    ['content-security-policy', apiPolicy],
    ['cross-origin-opener-policy', 'same-origin'],
    ['cache-control', 'no-store'],
  ];
  return createMiddleware(async function securityHeaders(c, next) {
    await next();
    for (const [name, value] of defaults) if (!c.res.headers.has(name)) c.res.headers.set(name, value);
  });
}
