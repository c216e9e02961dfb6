import { type Clock, isFailure } from '@svc/core';
import {
  createBreaker,
  createPolicy,
  type Maintenance,
  resilientFetch,
  UpstreamUnreachable,
} from '@svc/http';
import { type HttpEnv, operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';

const documented = (id: string, summary: string) =>
  operation({
    id,
    summary,
    tags: ['Acceptance'],
    responses: { 200: { description: 'As asked', schema: v.looseObject({}) } },
    security: 'none',
    hidden: true,
  });

const Upstream = v.strictObject({
  /** Breakers of one name are one. */
  breaker: v.pipe(v.string(), v.maxLength(50)),
  path: v.pipe(v.string(), v.regex(/^\/[\w-]{1,50}$/)),
});
const Shut = v.strictObject({
  path: v.pipe(v.string(), v.startsWith('/'), v.maxLength(100)),
  readOnly: v.optional(v.boolean(), false),
  retryAfterSeconds: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1)), 120),
});

interface ControlNeeds {
  readonly clock: Clock;
  /** The service that is called. */
  readonly origin: string;
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  readonly maintenance: Maintenance;
}

/** What the gate needs to see how the app bears a service that fails, as in `control.ts`. */
export function controlResilienceRoutes({ clock, origin, fetch, maintenance }: ControlNeeds) {
  const calls = new Map<string, ReturnType<typeof open>>();
  const open = (name: string) => {
    const breaker = createBreaker({ name, failures: 3, samples: 5, openMs: 1000, clock });
    const policy = createPolicy({ name, breaker, timeoutMs: 500, clock });
    return { breaker, call: resilientFetch(fetch, { policy, clock }) };
  };
  const callOf = (name: string) => {
    const call = calls.get(name) ?? open(name);
    calls.set(name, call);
    return call;
  };
  return new Hono<HttpEnv>()
    .get(
      '/upstream',
      documented('callUpstream', 'Call another service through a circuit breaker'),
      validated('query', Upstream),
      async (c) => {
        const { breaker: name, path } = c.req.valid('query');
        const { breaker, call } = callOf(name);
        const answer = await call(`${origin}${path}`).catch((error: unknown) => {
          throw isFailure(error) ? error : new UpstreamUnreachable();
        });
        if (!answer.ok) throw new UpstreamUnreachable();
        return c.json({ status: answer.status, breaker: breaker.state });
      },
    )
    .put(
      '/maintenance',
      documented('shut', 'Put a path under maintenance'),
      validated('json', Shut),
      async (c) => {
        const { path, ...more } = c.req.valid('json');
        await maintenance.set({ path }, more);
        return c.json({});
      },
    )
    .delete(
      '/maintenance',
      documented('reopen', 'End the maintenance of a path'),
      validated('query', v.strictObject({ path: Shut.entries.path })),
      async (c) => c.json({ ended: await maintenance.clear({ path: c.req.valid('query').path }) }),
    );
}
