import type { MiddlewareHandler } from 'hono';
import { cors as honoCors } from 'hono/cors';

export interface CorsOptions {
  /** Origins whose pages may call with credentials, exactly as a browser writes them (`https://app.example.com`). @default [] */
  origins?: readonly string[];
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const requestHeaders = ['authorization', 'content-type', 'if-match', 'if-none-match', 'idempotency-key', 'x-request-id', 'x-tenant-id'];
const exposedHeaders = ['etag', 'link', 'location', 'retry-after', 'x-request-id'];

/** CORS (Fetch standard) for a list of origins. An origin that is not listed gets no CORS header at all. @throws {TypeError} for `*` or what is no origin */
export function cors({ origins = [] }: CorsOptions = {}): MiddlewareHandler {
  for (const origin of origins) {
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError('a CORS origin is a scheme, a host and a port, such as https://app.example.com');
    }
  }
  return honoCors({
    origin: (origin) => (origins.includes(origin) ? origin : null),
    credentials: true,
    allowMethods: methods,
    allowHeaders: requestHeaders,
    exposeHeaders: exposedHeaders,
    maxAge: 600,
  });
}
