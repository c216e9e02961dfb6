import type { Outcome, RateLimitStore } from '../store.ts';
import { createScript, type RedisClient } from './redis-client.ts';
import { consumeScript } from './redis-script.ts';

export type { RedisClient } from './redis-client.ts';

export interface RedisStoreOptions {
  /** Before every key. On a Redis cluster, limits that are checked together need one hash tag, such as `{svc}:`. @default 'svc:ratelimit:' */
  prefix?: string;
}

const codes = { gcra: '0', sliding_window: '1', fixed_window: '2' } as const;

/**
 * Counts in Redis 6 or later (or what speaks like it), by the server's clock, in one call however many limits there
 * are. Keys expire by themselves. The client should fail fast (`enableOfflineQueue: false`): what it queues while the
 * server is away is counted when it is back.
 */
export function redisStore(
  client: RedisClient,
  { prefix = 'svc:ratelimit:' }: RedisStoreOptions = {},
): RateLimitStore {
  const run = createScript(client, consumeScript);
  return {
    isLocal: false,
    async consume(claims) {
      const parameters: (string | number)[] = [];
      for (const { key } of claims) parameters.push(prefix + key);
      for (const { algorithm, quota, windowMs, capacity, cost, shadow } of claims)
        parameters.push(codes[algorithm], quota, windowMs, capacity, cost, shadow ? '1' : '0');
      const numbers = (await run(claims.length, parameters)) as number[];
      return claims.map((_, i): Outcome => {
        const [room, remaining, retryAfterMs, resetAfterMs] = numbers.slice(i * 4, i * 4 + 4);
        return {
          hasRoom: room === 1,
          remaining: remaining as number,
          retryAfterMs: retryAfterMs as number,
          resetAfterMs: resetAfterMs as number,
        };
      });
    },
  };
}

export { redisAbuseStore, type RedisAbuseStoreOptions } from './redis-abuse.ts';
