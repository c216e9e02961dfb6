import type { MiddlewareHandler } from 'hono';
import { changeHeaders } from './change-headers.ts';

export interface SecurityHeadersOptions {
  /** How long browsers insist on https, in seconds (RFC 6797); 0 leaves the header out. @default 63072000, two years */
  hstsMaxAgeSeconds?: number;
  /** For answers that bring no policy of their own. @default default-src 'none'; frame-ancestors 'none' */
  contentSecurityPolicy?: string;
}

/**
 * Sets the headers that OWASP's REST Security and HTTP Headers cheat sheets ask for, on every answer.
 * A handler may set `Content-Security-Policy`, `Cache-Control`, `Referrer-Policy` and
 * `Cross-Origin-Resource-Policy` itself; the others always have our value.
 */
export function securityHeaders({
  hstsMaxAgeSeconds = 63_072_000,
  contentSecurityPolicy = "default-src 'none'; frame-ancestors 'none'",
}: SecurityHeadersOptions = {}): MiddlewareHandler {
  const always: [string, string][] = [
    ['X-Content-Type-Options', 'nosniff'],
    ['X-Frame-Options', 'DENY'],
  ];
  if (hstsMaxAgeSeconds > 0) {
    always.push(['Strict-Transport-Security', `max-age=${hstsMaxAgeSeconds}; includeSubDomains`]);
  }
  const unlessSet: [string, string][] = [
    ['Content-Security-Policy', contentSecurityPolicy],
    ['Cache-Control', 'no-store'],
    ['Referrer-Policy', 'no-referrer'],
    ['Cross-Origin-Resource-Policy', 'same-origin'],
  ];
  return async function securityHeaders(c, next) {
    try {
      await next();
    } finally {
      changeHeaders(c, (headers) => {
        for (const [name, value] of always) headers.set(name, value);
        for (const [name, value] of unlessSet) if (!headers.has(name)) headers.set(name, value);
      });
    }
  };
}
