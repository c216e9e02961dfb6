import type { Benchmark } from '../benchmark.ts';
import { sessionVariants } from '../sessions/session-variants.ts';

/** How many requests a process with signed-in users can serve. */
export const sessionCheck: Benchmark = {
  name: 'session-check',
  summary:
    'requests with a session cookie through Hono middleware, 32 in flight, one of 50 revoked',
  reference: 'better-auth',
  goals: [
    { variant: 'svc', figure: 'rate', dividedBy: 'better-auth', atLeast: 3 },
    { variant: 'svc', figure: 'rate', dividedBy: 'bare query', atLeast: 1 / 1.3 },
    { variant: 'svc, cached', figure: 'rate', dividedBy: 'better-auth', atLeast: 3 },
  ],
  prepare: (server) => sessionVariants(server, { inFlight: 32 }),
};
