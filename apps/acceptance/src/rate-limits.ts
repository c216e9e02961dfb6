import { defineLimit, type RateLimit } from '@svc/ratelimit';
import { byAddress, rateLimit } from '@svc/ratelimit/hono';
import type { Context } from 'hono';
import type { AppSettings } from './settings.ts';

// Balancers ask often, and must get an answer whoever else asks from their address.
const probes = new Set(['/healthz', '/readyz', '/startupz']);

/** How often one client address may come; the address is what trusted proxies say. */
export function addressLimit(limits: RateLimit, settings: AppSettings) {
  const limit = defineLimit({
    name: 'address',
    algorithm: 'sliding_window',
    quota: settings.rateLimitQuota,
    window: settings.rateLimitWindow,
  });
  const every = [{ limit, key: byAddress() }];
  return rateLimit(limits, {
    limits: (c: Context) => (probes.has(c.req.path) ? [] : every),
  });
}
