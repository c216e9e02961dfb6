import type { Benchmark } from '../benchmark.ts';
import { redisVariants } from '../ratelimit/redis-variants.ts';

/** What a limit on every request costs. */
export const ratelimitOne: Benchmark = {
  name: 'ratelimit-one',
  summary: 'one limit on Redis, 64 checks in flight over 1000 callers',
  reference: 'rate-limiter-flexible',
  goals: [{ variant: 'svc', figure: 'rate', dividedBy: 'rate-limiter-flexible', atLeast: 1.1 }],
  prepare: () => redisVariants(1, 64),
};
