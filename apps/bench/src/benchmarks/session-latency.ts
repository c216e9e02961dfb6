import type { Benchmark } from '../benchmark.ts';
import { sessionVariants } from '../sessions/session-variants.ts';

/** What the check adds to a request on an idle machine. */
export const sessionLatency: Benchmark = {
  name: 'session-latency',
  summary: 'requests with a session cookie through Hono middleware, one after the other',
  reference: 'better-auth',
  goals: [{ variant: 'svc', figure: 'p50Ms', atMost: 0.5 }],
  prepare: (server) => sessionVariants(server, { inFlight: 1 }),
};
