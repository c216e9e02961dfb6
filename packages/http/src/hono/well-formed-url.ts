import type { MiddlewareHandler } from 'hono';
import { MalformedUrl } from '../failures.ts';
import { isWellFormedUrl } from '../well-formed-url.ts';
import { documentMiddleware } from './middleware-docs.ts';

/**
 * Refuses an address with a broken percent-encoding; Hono would hand the garbage on as it is.
 *
 * @throws {MalformedUrl}
 */
export function wellFormedUrl(): MiddlewareHandler {
  const middleware: MiddlewareHandler = async function wellFormedUrl(c, next) {
    if (!isWellFormedUrl(c.req.raw.url)) throw new MalformedUrl();
    await next();
  };
  return documentMiddleware(middleware, { failures: [MalformedUrl] });
}
