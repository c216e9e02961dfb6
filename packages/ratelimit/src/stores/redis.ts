import type { Outcome, RateLimitStore } from '../store.ts';
import { createScript, type RedisClient } from './redis-client.ts';
import { createGcra } from './redis-gcra.ts';
import { consumeScript } from './redis-script.ts';

export { redisAbuseStore, type RedisAbuseStoreOptions } from './redis-abuse.ts';
export type { RedisClient } from './redis-client.ts';

export interface RedisStoreOptions {
  /** Before every key. On a Redis cluster, limits that are checked together need one hash tag, such as `{svc}:`. @default 'svc:ratelimit:' */
  prefix?: string;
  /** Whether checks of `gcra` limits that are made in one turn of the event loop go to the server in one call. @default true, except for a cluster, whose keys may lie apart */
  batch?: boolean;
}

const codes = { gcra: '0', sliding_window: '1', fixed_window: '2' } as const;

/**
 * Counts in Redis 6 or later (or what speaks like it), by the server's clock, in one call however many limits there
 * are. Keys expire by themselves. The client should fail fast (`enableOfflineQueue: false`): what it queues while the
 * server is away is counted when it is back.
 */
export function redisStore(
  client: RedisClient,
  { prefix = 'svc:ratelimit:', batch = client.isCluster !== true }: RedisStoreOptions = {},
): RateLimitStore {
  const run = createScript(client, consumeScript);
  const gcra = createGcra(client, prefix, batch);
  return {
    isLocal: false,
    consume(claims) {
      if (claims.every(({ algorithm }) => algorithm === 'gcra')) return gcra(claims);
      const parameters: (string | number)[] = [];
      for (const { key } of claims) parameters.push(prefix + key);
      for (const { algorithm, quota, windowMs, capacity, cost, shadow } of claims)
        parameters.push(codes[algorithm], quota, windowMs, capacity, cost, shadow ? '1' : '0');
      return run(claims.length, parameters).then((numbers) =>
        claims.map((_, i) => toOutcome((numbers as number[]).slice(i * 4, i * 4 + 4))),
      );
    },
  };
}

const toOutcome = ([room, remaining, retryAfterMs, resetAfterMs]: number[]): Outcome => ({
  hasRoom: room === 1,
  remaining: remaining as number,
  retryAfterMs: retryAfterMs as number,
  resetAfterMs: resetAfterMs as number,
});
