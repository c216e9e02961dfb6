import { type Clock, type Duration, isFailure, systemClock, toMs } from '@svc/core';
import { documentMiddleware } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { AbuseGuard, AbuseSignal, AbuseStatus } from '../abuse-guard.ts';
import { CallerBlocked, CallerSlowed } from '../failures.ts';
import { byAddress } from './key-by.ts';

export interface AbuseGuardMiddlewareOptions {
  /** Who answers for a request; nobody, and nothing is counted or refused. What a page of another site makes a browser send counts for `<caller> cross-site`, and never against the caller itself. @default the client's address, IPv6 by its /64 */
  caller?: (c: Context) => string | undefined;
  /** What an answer says of the caller. @default by its status and problem: 429, 413, malformed bodies and addresses, failed sign-ins, unknown routes */
  signalOf?: (c: Context) => AbuseSignal | undefined;
  /** How long a request of a slowed caller is held back. @default '1s' */
  slowBy?: Duration;
  /** How many requests are held back at once; beyond that they are refused with 429. @default 100 */
  maxSlowed?: number;
  /** @default systemClock */
  clock?: Clock;
}

/** Codes of failures that say that somebody tried to sign in and could not. */
const signInFailures = new Set([
  'auth.invalid_credentials',
  'auth.invalid_code',
  'auth.locked',
  'auth.invalid_token',
]);
const malformed = new Set(['http.malformed_body', 'http.malformed_url', 'http.body_incomplete']);

const defaultCaller = () => {
  const addressOf = byAddress();
  return (c: Context) => addressOf(c) as string | undefined;
};

/**
 * Keeps blocked callers out, holds slowed ones back, and counts what answers say of a caller.
 *
 * @throws {CallerBlocked} 403
 * @throws {CallerSlowed} 429
 */
export function abuseGuard(
  guard: AbuseGuard,
  options: AbuseGuardMiddlewareOptions = {},
): MiddlewareHandler {
  const { caller: callerOf = defaultCaller(), slowBy = '1s', maxSlowed = 100 } = options;
  const clock = options.clock ?? systemClock;
  const slowByMs = toMs(slowBy);
  const report = createReport(guard, { ...options, caller: callerOf });
  let slowed = 0;
  const middleware: MiddlewareHandler = async (c, next) => {
    const caller = callerOf(c);
    if (caller === undefined) return next();
    const { standing, blockedForMs } = await worstOf(guard, callersOf(c, caller));
    if (standing === 'blocked') {
      c.set(judged, true);
      throw new CallerBlocked(blockedForMs);
    }
    if (standing === 'slowed') {
      if (slowed >= maxSlowed) {
        c.set(judged, true);
        throw new CallerSlowed(slowByMs);
      }
      slowed += 1;
      try {
        await clock.sleep(slowByMs, c.req.raw.signal);
      } finally {
        slowed -= 1;
      }
    }
    await next();
    await report(c);
  };
  return documentMiddleware(middleware, { failures: [CallerBlocked, CallerSlowed] });
}

/**
 * Only counts. Put before `stack(app)`, it also sees what the stack refuses before any other middleware runs: bodies
 * that are too large, addresses that cannot be read. What `abuseGuard` has counted is not counted again.
 */
export function abuseReports(
  guard: AbuseGuard,
  { caller = defaultCaller(), ...options }: AbuseGuardMiddlewareOptions = {},
): MiddlewareHandler {
  const report = createReport(guard, { ...options, caller });
  return async function abuseReports(c, next) {
    await next();
    await report(c);
  };
}

const judged = 'abuseJudged';

function createReport(
  guard: AbuseGuard,
  { caller: callerOf, signalOf = defaultSignalOf }: AbuseGuardMiddlewareOptions,
) {
  return async (c: Context): Promise<void> => {
    if (c.get(judged) === true) return;
    const signal = signalOf(c);
    const caller = callerOf?.(c);
    if (signal === undefined || caller === undefined) return;
    c.set(judged, true);
    await guard.report(callersOf(c, caller).at(-1) as string, signal);
  };
}

/**
 * Who is judged for a request; the last is counted against. The browser of a visitor sends what a foreign page wants, so
 * that page could have the visitor blocked. Who is blocked stays so whatever a request says of itself. Links are apart:
 * people come by them from mails and identity providers. (Sec-Fetch-Site: W3C Fetch Metadata)
 */
function callersOf(c: Context, caller: string): readonly string[] {
  if (c.req.header('Sec-Fetch-Site') !== 'cross-site') return [caller];
  const isLink = c.req.header('Sec-Fetch-Dest') === 'document';
  return [caller, `${caller} cross-site${isLink ? ' link' : ''}`];
}

async function worstOf(guard: AbuseGuard, callers: readonly string[]): Promise<AbuseStatus> {
  const statuses = await Promise.all(callers.map((caller) => guard.status(caller)));
  const [worst] = statuses.toSorted(
    (one, other) => other.blockedForMs - one.blockedForMs || other.score - one.score,
  );
  return worst as AbuseStatus;
}

function defaultSignalOf(c: Context): AbuseSignal | undefined {
  const code = isFailure(c.error) ? c.error.code : '';
  if (signInFailures.has(code)) return 'sign_in_failed';
  if (malformed.has(code)) return 'malformed';
  if (c.res.status === 429) return 'rate_limited';
  if (c.res.status === 413) return 'oversized';
  // A handler's own 404 may be an honest mistake; a path that no route has is looking around.
  const isRouted = matchedRoutes(c).some(({ method }) => method !== 'ALL');
  return c.res.status === 404 && !isRouted ? 'unknown_route' : undefined;
}
