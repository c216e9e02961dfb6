import { CrossSite } from '@svc/http';
import { csrfGuard, documentMiddleware, type HttpEnv } from '@svc/http/hono';
import type { Context, MiddlewareHandler, Next } from 'hono';
import { type Duration, toMs } from '@svc/core';
import type { Auth } from '../auth.ts';
import { ForeignLogin, InsufficientAuthentication, Unauthenticated } from '../failures.ts';
import type { Principal } from '../principal.ts';
import { bearerOf } from './bearer.ts';
import { challenged } from './challenge.ts';
import { tenantFinder } from './at-tenant.ts';
import { originOf } from './origin.ts';
import { readSessionCookie } from './session-cookie.ts';

/** What routes behind `requireUser` find in their context. */
export type AuthEnv = { Variables: HttpEnv['Variables'] & { principal: Principal } };

export interface PagesOptions {
  /** Origins beside that of publicUrl whose pages may send requests with the cookie. @default none */
  allowedOrigins?: readonly string[];
  /** At which tenant's door a request came in, from its host or its path; needed where identities belong to tenants. @default none */
  tenantOf?: (c: Context) => string | null | undefined | Promise<string | null | undefined>;
}

export interface RequireUserOptions extends PagesOptions {
  /** `any` lets API keys in beside sessions. @default 'session' */
  accept?: 'session' | 'any';
  /** 2 asks for a second factor shown in this session, `highest` for one from those who have one. @default 1 */
  level?: 1 | 2 | 'highest';
  /** How long ago the person may have proved who they are, at most. @default as long as the session lives */
  maxAge?: Duration;
}

/**
 * Lets pass who carries a live session, as a cookie or a bearer token, and puts `principal` into the
 * context. A request with the cookie that changes something must come from a page of ours. Where identities belong to
 * tenants, a session of one is none at the door of another.
 *
 * @throws {Unauthenticated} for everybody else.
 * @throws {InsufficientAuthentication} with a challenge of RFC 9470, where `level` or `maxAge` ask for more than the session shows.
 */
export function requireUser(
  auth: Auth,
  options: RequireUserOptions = {},
): MiddlewareHandler<AuthEnv> {
  const ownPagesOnly = ownPages(auth, options);
  const { accept = 'session' } = options;
  const isSufficient = createLevelCheck(auth, options);
  const findTenant = tenantFinder(auth, options);
  const middleware: MiddlewareHandler<AuthEnv> = async (c, next) => {
    await findTenant(c);
    const presented = presentedToken(c);
    const { tenantId } = originOf(c);
    const principal =
      presented === null ? null : await auth.authenticate(presented.token, { tenantId });
    if (
      presented === null ||
      principal === null ||
      (principal.session === null && (accept !== 'any' || presented.by !== 'bearer'))
    ) {
      // RFC 9110 11.6.1 wants it with every 401.
      c.header('WWW-Authenticate', 'Bearer');
      throw new Unauthenticated();
    }
    if (!isSufficient(principal)) throw insufficient(c, options);
    c.set('principal', principal);
    return ownPagesOnly(c, next);
  };
  const asksForMore = options.level !== undefined || options.maxAge !== undefined;
  return documentMiddleware(
    middleware,
    { guards: true, failures: [Unauthenticated] },
    { failures: asksForMore ? [InsufficientAuthentication] : [] },
    { methods: ['POST', 'PUT', 'PATCH', 'DELETE'], failures: [CrossSite] },
  );
}

/** For a principal who is there, but has not shown enough (RFC 9470 3). */
export function insufficient(
  c: Context,
  { level = 1, maxAge }: Pick<RequireUserOptions, 'level' | 'maxAge'>,
): InsufficientAuthentication {
  const wanted = [
    'error="insufficient_user_authentication"',
    'error_description="Confirm that it is you to do this."',
    ...(level === 1 ? [] : ['acr_values="2"']),
    ...(maxAge === undefined ? [] : [`max_age="${Math.floor(toMs(maxAge) / 1000)}"`]),
  ];
  const challenge = `Bearer ${wanted.join(', ')}`;
  // Without problems of `@svc/http` the header is the answer; they take it from the failure.
  c.header('WWW-Authenticate', challenge);
  const failure = new InsufficientAuthentication({
    ...(level !== 1 && { level: 2 }),
    ...(maxAge !== undefined && { maxAgeSeconds: Math.floor(toMs(maxAge) / 1000) }),
  });
  return challenged(failure, challenge);
}

function createLevelCheck(
  auth: Auth,
  { level = 1, maxAge }: RequireUserOptions,
): (principal: Principal) => boolean {
  const maxAgeMs = maxAge === undefined ? Infinity : toMs(maxAge);
  const { clock } = auth['~context'];
  return ({ user, session, apiKey }) => {
    const needed = level === 'highest' ? (user.mfaEnabledAt === null ? 1 : 2) : level;
    if (session === null) return maxAge === undefined && (apiKey?.level ?? 1) >= needed;
    if (session.level < needed) return false;
    const shownAt = needed === 2 ? session.secondFactorAt : session.authenticatedAt;
    return shownAt !== null && clock.now().getTime() - shownAt.getTime() <= maxAgeMs;
  };
}

/** Refuses a request with the cookie that a browser sends from a page that is not ours. */
export function ownPages(
  auth: Auth,
  { allowedOrigins = [] }: PagesOptions,
): MiddlewareHandler<AuthEnv> {
  const guard = csrfGuard({ origins: [auth.publicOrigin, ...allowedOrigins] });
  return documentMiddleware(
    async (c: Context<AuthEnv>, next: Next) =>
      presentedToken(c)?.by === 'cookie' ? guard(c, next) : next(),
    { methods: ['POST', 'PUT', 'PATCH', 'DELETE'], failures: [CrossSite] },
  );
}

/**
 * Refuses a login from a foreign page, which would sign its visitor in to somebody else's account.
 * Unlike a request with a cookie, one without Sec-Fetch-Site and Origin passes: it is no browser's.
 */
export function ownLogins(
  auth: Auth,
  { allowedOrigins = [] }: PagesOptions,
): MiddlewareHandler<AuthEnv> {
  const origins = new Set([auth.publicOrigin, ...allowedOrigins]);
  const middleware: MiddlewareHandler<AuthEnv> = async (c, next) => {
    const site = c.req.header('Sec-Fetch-Site');
    const origin = c.req.header('Origin');
    const own =
      site === 'same-origin' ||
      site === 'none' ||
      (origin === undefined ? site === undefined : origins.has(origin));
    if (!own) throw new ForeignLogin();
    return next();
  };
  return documentMiddleware(middleware, { failures: [ForeignLogin] });
}

/** The token of a request. The header wins: no page can make a browser send it across sites. */
export function presentedToken(c: Context): { token: string; by: 'bearer' | 'cookie' } | null {
  const bearer = bearerOf(c);
  if (bearer !== undefined) return { token: bearer, by: 'bearer' };
  const cookie = readSessionCookie(c);
  return cookie === undefined ? null : { token: cookie, by: 'cookie' };
}
