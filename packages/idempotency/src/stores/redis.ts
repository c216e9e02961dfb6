import { createHash } from 'node:crypto';
import type { Withheld } from '../answer.ts';
import { StoreUnavailable } from '../failures.ts';
import type { Claimed, IdempotencyStore } from '../store.ts';

/** The part of a Redis client that is used; ioredis and its cluster fit as they are. */
export interface RedisClient {
  evalsha(
    sha1: string,
    keyCount: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<unknown>;
  eval(
    script: string,
    keyCount: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<unknown>;
}

export interface RedisStoreOptions {
  /** Before every key. @default 'svc:idempotency:' */
  prefix?: string;
}

// The server's clock; a hash per key: f(ingerprint), t(oken), l(ease's end), s(tate), answer as c(ode), h(eaders), b(ody).
const now = `local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)`;
const held = `local have = redis.call('HMGET', KEYS[1], 't', 's')
if have[1] ~= ARGV[1] or have[2] ~= 'running' then return 0 end`;

const claimScript = `${now}
local have = redis.call('HMGET', KEYS[1], 's', 'f', 'l', 'c', 'h', 'b')
if have[1] then
  if have[1] ~= 'running' then return {have[1], have[2], 0, have[4] or '', have[5] or '', have[6] or ''} end
  local left = tonumber(have[3]) - now
  if left > 0 or have[2] ~= ARGV[2] then return {'running', have[2], math.max(left, 0)} end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 't', ARGV[1], 'f', ARGV[2], 's', 'running', 'l', string.format('%.0f', now + ARGV[3]))
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return {'granted'}`;
const finishScript = `${held}
redis.call('HSET', KEYS[1], 's', ARGV[2], 'c', ARGV[3], 'h', ARGV[4], 'b', ARGV[5])
return 1`;
const renewScript = `${now}
${held}
redis.call('HSET', KEYS[1], 'l', string.format('%.0f', now + ARGV[2]))
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`;
const releaseScript = `${held}
return redis.call('DEL', KEYS[1])`;

/**
 * Keeps keys in Redis 6 or later, by the server's clock, in one call each; they expire by themselves. It keeps as well
 * as Redis does: a key that a fail-over or an eviction loses may be executed again. The client should fail fast
 * (`enableOfflineQueue: false`).
 */
export function redisStore(
  client: RedisClient,
  { prefix = 'svc:idempotency:' }: RedisStoreOptions = {},
): IdempotencyStore {
  const [claimNow, finishNow, renewNow, releaseNow] = [
    createScript(client, claimScript),
    createScript(client, finishScript),
    createScript(client, renewScript),
    createScript(client, releaseScript),
  ];
  return {
    joins: false,
    async claim({ id, token, fingerprint, leaseMs, ttlMs }) {
      return toClaimed(await claimNow(prefix + id, token, fingerprint, leaseMs, ttlMs));
    },
    async finish({ id, token }, result) {
      if (typeof result === 'string')
        return (await finishNow(prefix + id, token, result, '', '', '')) === 1;
      const { status, headers, body } = result;
      // Base64: clients give text back, and a body need not be text.
      const kept = [status, JSON.stringify(headers), Buffer.from(body).toString('base64')];
      return (await finishNow(prefix + id, token, 'done', ...kept)) === 1;
    },
    renew: async ({ id, token, leaseMs }) => (await renewNow(prefix + id, token, leaseMs)) === 1,
    release: async ({ id, token }) => (await releaseNow(prefix + id, token)) === 1,
    purge: async () => 0,
  };
}

function toClaimed(reply: unknown): Claimed {
  const [state, fingerprint, left, status, headers, body] = reply as string[];
  if (state === 'granted') return { state };
  if (state === 'running') return { state, fingerprint, leaseLeftMs: Number(left) };
  const result =
    state === 'done'
      ? {
          status: Number(status),
          headers: JSON.parse(headers as string) as [string, string][],
          body: new Uint8Array(Buffer.from(body as string, 'base64')),
        }
      : (state as Withheld);
  return { state: 'finished', fingerprint: fingerprint as string, result };
}

/** Calls a script by its digest, and with its text where the server has not seen it (or has forgotten it). */
function createScript(client: RedisClient, script: string) {
  const digest = createHash('sha1').update(script).digest('hex');
  const byDigest = async (parameters: [string, ...(string | number)[]]) => {
    try {
      return await client.evalsha(digest, 1, ...parameters);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(script, 1, ...parameters);
    }
  };
  return async (...parameters: [key: string, ...(string | number)[]]): Promise<unknown> => {
    try {
      return await byDigest(parameters);
    } catch (error) {
      throw new StoreUnavailable({ retryAfterSeconds: 1 }, { cause: error });
    }
  };
}
