import { csrfGuard, type HttpEnv } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import type { Auth } from '../auth.ts';
import { ForeignLogin, Unauthenticated } from '../failures.ts';
import type { Principal } from '../sessions.ts';
import { readSessionCookie } from './session-cookie.ts';

/** What routes behind `requireUser` find in their context. */
export type AuthEnv = { Variables: HttpEnv['Variables'] & { principal: Principal } };

export interface RequireUserOptions {
  /** Origins beside that of publicUrl whose pages may send requests with the cookie. @default none */
  allowedOrigins?: readonly string[];
}

/**
 * Lets pass who carries a live session, as a cookie or a bearer token, and puts `principal` into the
 * context. A request with the cookie that changes something must come from a page of ours.
 *
 * @throws {Unauthenticated} for everybody else.
 */
export function requireUser(
  auth: Auth,
  options: RequireUserOptions = {},
): MiddlewareHandler<AuthEnv> {
  const ownPagesOnly = ownPages(auth, options);
  return async (c, next) => {
    const presented = presentedToken(c);
    const principal = presented === null ? null : await auth.authenticate(presented.token);
    if (presented === null || principal === null) {
      // RFC 9110 11.6.1 wants it with every 401.
      c.header('WWW-Authenticate', 'Bearer');
      throw new Unauthenticated();
    }
    c.set('principal', principal);
    return ownPagesOnly(c, next);
  };
}

/** Refuses a request with the cookie that a browser sends from a page that is not ours. */
export function ownPages(
  auth: Auth,
  { allowedOrigins = [] }: RequireUserOptions,
): MiddlewareHandler<AuthEnv> {
  const guard = csrfGuard({ origins: [auth.publicOrigin, ...allowedOrigins] });
  return async (c, next) => (presentedToken(c)?.by === 'cookie' ? guard(c, next) : next());
}

/**
 * Refuses a login from a foreign page, which would sign its visitor in to somebody else's account.
 * Unlike a request with a cookie, one without Sec-Fetch-Site and Origin passes: it is no browser's.
 */
export function ownLogins(
  auth: Auth,
  { allowedOrigins = [] }: RequireUserOptions,
): MiddlewareHandler<AuthEnv> {
  const origins = new Set([auth.publicOrigin, ...allowedOrigins]);
  return async (c, next) => {
    const site = c.req.header('Sec-Fetch-Site');
    const origin = c.req.header('Origin');
    const own =
      site === 'same-origin' ||
      site === 'none' ||
      (origin === undefined ? site === undefined : origins.has(origin));
    if (!own) throw new ForeignLogin();
    return next();
  };
}

/** The token of a request. The header wins: no page can make a browser send it across sites. */
export function presentedToken(c: Context): { token: string; by: 'bearer' | 'cookie' } | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header('Authorization') ?? '')?.[1];
  if (bearer !== undefined) return { token: bearer, by: 'bearer' };
  const cookie = readSessionCookie(c);
  return cookie === undefined ? null : { token: cookie, by: 'cookie' };
}
