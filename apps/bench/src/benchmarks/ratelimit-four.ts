import type { Benchmark } from '../benchmark.ts';
import { redisVariants } from '../ratelimit/redis-variants.ts';

/** Address, user, tenant and route: ours in one atomic call, the rival's Union in four. */
export const ratelimitFour: Benchmark = {
  name: 'ratelimit-four',
  summary: 'four limits on Redis decided together, 64 checks in flight over 1000 callers',
  reference: 'rate-limiter-flexible',
  goals: [{ variant: 'svc', figure: 'rate', dividedBy: 'rate-limiter-flexible', atLeast: 2 }],
  prepare: () => redisVariants(4, 64),
};
