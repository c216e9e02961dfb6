import { type Clock, systemClock } from '@svc/core';
import { documentMiddleware } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import { createMiddleware } from 'hono/factory';
import type { Decision, LimitRequest, LimitState } from '../decision.ts';
import { RateLimited } from '../failures.ts';
import type { LimitKey } from '../key.ts';
import type { Limit } from '../limit.ts';
import { type RateLimit, toFailure } from '../ratelimit.ts';
import { documentedFields, type HeaderForm, ietfFields, legacyFields } from './header-fields.ts';
import type { KeyOf } from './key-by.ts';

/** What the middleware leaves for handlers. */
export interface RateLimitEnv {
  Variables: {
    /** Of every limit that headers tell of, by all middleware so far. */
    rateLimits: readonly LimitState[];
  };
}

/** One limit of a route. */
export interface RouteLimit {
  /** The limit, or how it is found for this request, such as by the tenant's plan. */
  readonly limit: Limit | ((c: Context) => Limit | Promise<Limit>);
  /** Whom it counts: parts, or how they are found. */
  readonly key: LimitKey | KeyOf;
  /** What the request costs. @default 1 */
  readonly cost?: number | ((c: Context) => number);
  /** What happens when the key is unknown: a bug, or the limit does not apply. @default 'error' */
  readonly whenMissing?: 'error' | 'skip';
  /** Whether headers tell how it stands. Not where others than the caller use it up, such as a limit on mails to an address: it would tell of them. @default true */
  readonly told?: boolean;
}

export interface RateLimitMiddlewareOptions {
  /** All are decided in one step; none is consumed where one refuses. */
  limits:
    | readonly RouteLimit[]
    | ((c: Context) => readonly RouteLimit[] | Promise<readonly RouteLimit[]>);
  /** @default 'ietf' */
  headers?: HeaderForm;
  /** For `X-RateLimit-Reset`. @default systemClock */
  clock?: Clock;
}

/**
 * Refuses requests over their limits and tells clients how they stand.
 *
 * @throws {RateLimited} 429
 * @throws {CostTooHigh} 413
 * @throws {LimiterUnavailable} 503
 */
export function rateLimit(
  rateLimits: RateLimit,
  { limits, headers = 'ietf', clock = systemClock }: RateLimitMiddlewareOptions,
): MiddlewareHandler<RateLimitEnv> {
  const middleware = createMiddleware<RateLimitEnv>(async (c, next) => {
    const routeLimits = typeof limits === 'function' ? await limits(c) : limits;
    const { requests, untold } = await requestsOf(c, routeLimits);
    if (requests.length === 0) return next();
    const decision = await rateLimits.check(requests);
    const told = decision.limits.filter(({ name }) => !untold.has(name));
    const states = merge(c.get('rateLimits') ?? [], told);
    c.set('rateLimits', states);
    const fields = fieldsOf(states, decision, headers, clock);
    // Before, so that an error carries them; and after, for an answer that was made without the context.
    for (const [name, value] of fields) c.header(name, value);
    if (!decision.allowed) throw toFailure(decision);
    await next();
    // Who came later, further in, knows more.
    if (c.get('rateLimits') === states) setHeaders(c, fields);
  });
  const responseHeaders = documentedFields(headers);
  return documentMiddleware(middleware, { responseHeaders, failures: [RateLimited] });
}

async function requestsOf(
  c: Context,
  routeLimits: readonly RouteLimit[],
): Promise<{ requests: readonly LimitRequest[]; untold: ReadonlySet<string> }> {
  const requests: LimitRequest[] = [];
  const untold = new Set<string>();
  for (const { limit, key, cost, whenMissing = 'error', told = true } of routeLimits) {
    const found = typeof key === 'function' ? key(c) : key;
    if (found === undefined && whenMissing === 'skip') continue;
    const resolved = typeof limit === 'function' ? await limit(c) : limit;
    if (found === undefined)
      throw new TypeError(
        `limit ${resolved.name}: the request has no key; whenMissing: 'skip' leaves the limit out`,
      );
    if (!told) untold.add(resolved.name);
    const points = typeof cost === 'function' ? cost(c) : cost;
    requests.push({
      limit: resolved,
      key: found,
      ...(points === undefined ? {} : { cost: points }),
    });
  }
  return { requests, untold };
}

/** The last word on each name. */
function merge(
  earlier: readonly LimitState[],
  later: readonly LimitState[],
): readonly LimitState[] {
  const names = new Set(later.map(({ name }) => name));
  return [...earlier.filter(({ name }) => !names.has(name)), ...later];
}

function fieldsOf(
  states: readonly LimitState[],
  { allowed }: Decision,
  form: HeaderForm,
  clock: Clock,
): [string, string][] {
  return [
    ...(form === 'ietf' || form === 'both' ? ietfFields(states, !allowed) : []),
    ...(form === 'legacy' || form === 'both' ? legacyFields(states, clock.now().getTime()) : []),
  ];
}

function setHeaders(c: Context, fields: readonly [string, string][]): void {
  const set = () => {
    for (const [name, value] of fields) c.res.headers.set(name, value);
  };
  try {
    set();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    // What `fetch` and `Response.redirect` answer has immutable headers.
    c.res = new Response(c.res.body, c.res);
    set();
  }
}
