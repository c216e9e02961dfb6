import type { MaintenanceStore } from '../maintenance/store.ts';

/** The part of a Redis client that is used; ioredis and its cluster fit as they are. */
export interface RedisClient {
  get(key: string): Promise<string | null>;
  eval(script: string, keyCount: number, ...keysAndArguments: string[]): Promise<unknown>;
}

export interface RedisMaintenanceStoreOptions {
  client: RedisClient;
  /** @default 'svc:maintenance' */
  key?: string;
}

// The empty text stands for no state, which is never written as text.
const replaceScript = `
if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2]) end
return 1`;

/** State in one key of Redis, for all processes. */
export function redisMaintenanceStore({
  client,
  key = 'svc:maintenance',
}: RedisMaintenanceStoreOptions): MaintenanceStore {
  return {
    read: async () => (await client.get(key)) ?? undefined,
    replace: async (expected, next) =>
      (await client.eval(replaceScript, 1, key, expected ?? '', next ?? '')) === 1,
  };
}
