import type { Context } from 'hono';

/** The token of the Authorization header (RFC 6750 2.1); addresses and bodies end up in logs. */
export function bearerOf(c: Context): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(c.req.header('Authorization') ?? '')?.[1];
}
