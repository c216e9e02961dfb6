import type { Claim, Outcome, RateLimitStore } from '../store.ts';
import { createScript, type RedisClient } from './redis-client.ts';
import { gcraScript } from './redis-gcra-script.ts';
import { consumeScript } from './redis-script.ts';

export { redisAbuseStore, type RedisAbuseStoreOptions } from './redis-abuse.ts';
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
  const runGcra = createScript(client, gcraScript);
  return {
    isLocal: false,
    consume(claims) {
      const parameters: (string | number)[] = [];
      for (const { key } of claims) parameters.push(prefix + key);
      if (claims.every(({ algorithm }) => algorithm === 'gcra')) {
        parameters.push(gcraArgument(claims));
        return runGcra(claims.length, parameters).then((levels) =>
          outcomesOf(claims, levels as number[]),
        );
      }
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

function gcraArgument(claims: readonly Claim[]): string {
  let numbers = '';
  for (const { quota, windowMs, capacity, cost, shadow } of claims)
    numbers += `${numbers === '' ? '[' : ','}${quota},${cost * windowMs},${capacity * windowMs},${shadow ? 1 : 0}`;
  return `${numbers}]`;
}

/** What the script did with these levels, said again. */
function outcomesOf(claims: readonly Claim[], levels: readonly number[]): Outcome[] {
  const overs = claims.map(
    ({ cost, capacity, windowMs }, i) => (levels[i] as number) + (cost - capacity) * windowMs,
  );
  const passes = claims.every(({ shadow }, i) => shadow || (overs[i] as number) <= 0);
  return claims.map(({ quota, windowMs, capacity, cost }, i): Outcome => {
    const over = overs[i] as number;
    const hasRoom = over <= 0;
    const level = (levels[i] as number) + (passes && hasRoom ? cost * windowMs : 0);
    return {
      hasRoom,
      remaining: Math.max(0, capacity - Math.ceil(level / windowMs)),
      retryAfterMs: hasRoom ? 0 : Math.ceil(over / quota),
      resetAfterMs: Math.ceil(level / quota),
    };
  });
}
