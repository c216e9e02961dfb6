import { csrfGuard, type HttpEnv } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import type { Auth } from '../auth.ts';
import { Unauthenticated } from '../failures.ts';
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
export function requireUser(auth: Auth, options: RequireUserOptions = {}): MiddlewareHandler<AuthEnv> {
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
    if (presented.by === 'cookie') return ownPagesOnly(c, next);
    return next();
  };
}

/** Refuses what a browser sends from a page that is not ours. */
export function ownPages(auth: Auth, { allowedOrigins = [] }: RequireUserOptions) {
  return csrfGuard({ origins: [auth.publicOrigin, ...allowedOrigins] });
}

/** The token of a request. The header wins: no page can make a browser send it across sites. */
export function presentedToken(c: Context): { token: string; by: 'bearer' | 'cookie' } | null {
  const bearer = /^Bearer +(\S+) *$/i.exec(c.req.header('Authorization') ?? '')?.[1];
  if (bearer !== undefined) return { token: bearer, by: 'bearer' };
  const cookie = readSessionCookie(c);
  return cookie === undefined ? null : { token: cookie, by: 'cookie' };
}
