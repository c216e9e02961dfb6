import type { MiddlewareHandler } from 'hono';
import { parseOrigins } from '../origins.ts';
import { changeHeaders } from './change-headers.ts';
import { documentMiddleware } from './middleware-docs.ts';

export interface CorsOptions {
  /** The origins whose pages may read answers (`https://app.example.com`), or `'*'` for any, without credentials. @default [] */
  origins?: readonly string[] | '*';
  /** Whether pages of listed origins may send cookies. @default false */
  credentials?: boolean;
  /** @default GET, HEAD, POST, PUT, PATCH, DELETE */
  methods?: readonly string[];
  /** Request headers a page may set. @default Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id */
  headers?: readonly string[];
  /** Answer headers a page may read. @default Allow, ETag, Idempotency-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id */
  exposedHeaders?: readonly string[];
  /** How long a browser may remember a preflight, in seconds. @default 600 */
  maxAgeSeconds?: number;
}

const defaultHeaders = [
  'Authorization',
  'Content-Type',
  'Idempotency-Key',
  'If-Match',
  'If-None-Match',
  'X-Request-Id',
];
const defaultExposed = [
  'Allow',
  'ETag',
  'Idempotency-Replayed',
  'Link',
  'Location',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'X-Request-Id',
];

/**
 * Cross-origin resource sharing (Fetch standard, section 3.3), on every answer, errors included. Only a
 * listed origin is ever named. Preflights are answered here, with 204.
 *
 * @throws {TypeError} when an origin is not one, or credentials are allowed to any origin.
 */
export function cors({
  origins = [],
  credentials = false,
  methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  headers: allowedHeaders = defaultHeaders,
  exposedHeaders = defaultExposed,
  maxAgeSeconds = 600,
}: CorsOptions = {}): MiddlewareHandler {
  if (origins === '*' && credentials)
    throw new TypeError('Credentials cannot be allowed to every origin.');
  const listed = origins === '*' ? undefined : parseOrigins(origins);

  const share = (headers: Headers, origin: string | undefined) => {
    // Also where nothing is allowed: a cache must not give one origin's answer to another.
    if (listed !== undefined) addVary(headers, 'Origin');
    if (origin === undefined || listed?.has(origin) === false) return false;
    headers.set('Access-Control-Allow-Origin', listed === undefined ? '*' : origin);
    if (credentials) headers.set('Access-Control-Allow-Credentials', 'true');
    return true;
  };

  const middleware: MiddlewareHandler = async function cors(c, next) {
    const origin = c.req.header('Origin');
    if (
      c.req.method === 'OPTIONS' &&
      origin !== undefined &&
      c.req.header('Access-Control-Request-Method') !== undefined
    ) {
      const headers = new Headers();
      if (share(headers, origin)) {
        headers.set('Access-Control-Allow-Methods', methods.join(', '));
        headers.set('Access-Control-Allow-Headers', allowedHeaders.join(', '));
        headers.set('Access-Control-Max-Age', String(maxAgeSeconds));
      }
      addVary(headers, 'Access-Control-Request-Method');
      addVary(headers, 'Access-Control-Request-Headers');
      return new Response(null, { status: 204, headers });
    }
    try {
      await next();
    } finally {
      changeHeaders(c, (headers) => {
        if (share(headers, origin))
          headers.set('Access-Control-Expose-Headers', exposedHeaders.join(', '));
      });
    }
    return undefined;
  };
  if (listed?.size === 0) return middleware;
  return documentMiddleware(middleware, {
    responseHeaders: { 'Access-Control-Allow-Origin': allowedOrigin },
  });
}

const allowedOrigin = {
  description: 'The origin of the page that asked, where pages of it may read answers.',
  schema: { type: 'string', maxLength: 255 },
};

function addVary(headers: Headers, name: string): void {
  const names = (headers.get('Vary') ?? '').split(',').map((one) => one.trim().toLowerCase());
  if (!names.includes('*') && !names.includes(name.toLowerCase())) headers.append('Vary', name);
}
