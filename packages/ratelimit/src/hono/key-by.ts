import { toRateLimitAddress } from '@svc/http';
import type { Context } from 'hono';
import { matchedRoutes } from 'hono/route';
import type { LimitKey } from '../key.ts';

/** Whom a request counts for; `undefined` where that is not known. */
export type KeyOf = (c: Context) => LimitKey | undefined;

/** By the client's address as `stack` found it behind the proxies that are trusted, IPv6 by its /64. An unknown address is no key. */
export function byAddress(): KeyOf {
  // What stands for an address nobody knows would be one count for everybody.
  const unknown = toRateLimitAddress('');
  return (c) => {
    const address = toRateLimitAddress((c.get('clientAddress') as string | undefined) ?? '');
    return address === unknown ? undefined : address;
  };
}

/** By the user who is signed in. @default `c.get('principal').userId`, as `@svc/auth` sets it */
export function byUser(
  userOf: (c: Context) => string | null | undefined = (c) =>
    (c.get('principal') as { userId?: string } | undefined)?.userId,
): KeyOf {
  return (c) => userOf(c) ?? undefined;
}

/** By the tenant whose membership was checked; never give it a header. */
export function byTenant(tenantOf: (c: Context) => string | null | undefined): KeyOf {
  return (c) => tenantOf(c) ?? undefined;
}

/** By method and pattern of the route, so that no invented path has a count of its own. */
export function byRoute(): KeyOf {
  return (c) => {
    const pattern = matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path;
    return pattern === undefined ? 'no route' : [c.req.method, pattern];
  };
}

/** By all of these together; unknown where one is unknown. */
export function keyBy(...keys: readonly KeyOf[]): KeyOf {
  return (c) => {
    const parts: string[] = [];
    for (const keyOf of keys) {
      const key = keyOf(c);
      if (key === undefined) return undefined;
      // Each with its own number of parts before it: ['a', ['b', 'c']] is not [['a', 'b'], 'c'].
      const several = typeof key === 'string' ? [key] : key;
      parts.push(`${several.length}`, ...several);
    }
    return parts;
  };
}
