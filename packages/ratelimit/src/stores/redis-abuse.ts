import type { AbuseState, AbuseStore } from '../abuse-store.ts';
import { createScript, type RedisClient } from './redis-client.ts';

export interface RedisAbuseStoreOptions {
  /** Before every key; all keys of one store are on one node of a cluster. @default '{svc:abuse}:' */
  prefix?: string;
}

/**
 * Scores are pairs of doubles (score, since) under a key each; blocks are a sorted set by their end, and who has a
 * score another, by when it is forgotten: of two scores the higher is forgotten later.
 */
const script = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local act, caller, number, half = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local function scoreOf(key)
  local raw = redis.call('GET', key)
  if not raw then return 0 end
  local score, at = struct.unpack('dd', raw)
  return score * 2 ^ (-math.max(0, now - at) / half)
end
local function blockedFor(who)
  return math.max(0, tonumber(redis.call('ZSCORE', KEYS[1], who) or 0) - now)
end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now)
if act == 'add' then
  local score = scoreOf(KEYS[2]) + number
  local keep = math.ceil(half * math.log(math.max(2, score / 0.01)) / math.log(2))
  redis.call('SET', KEYS[2], struct.pack('dd', score, now), 'PX', keep)
  redis.call('ZADD', KEYS[3], now + keep, caller)
  return {tostring(score), blockedFor(caller)}
elseif act == 'read' then
  return {tostring(scoreOf(KEYS[2])), blockedFor(caller)}
elseif act == 'block' then
  local was = blockedFor(caller)
  if number > was then redis.call('ZADD', KEYS[1], now + number, caller) end
  return was == 0 and 1 or 0
elseif act == 'unblock' then
  redis.call('DEL', KEYS[2])
  redis.call('ZREM', KEYS[3], caller)
  return redis.call('ZREM', KEYS[1], caller)
end
local reply, listed = {}, {}
for _, set in ipairs({KEYS[1], KEYS[3]}) do
  -- Who is in both is found again in the second.
  for _, who in ipairs(redis.call('ZREVRANGE', set, 0, 2 * number - 1)) do
    if not listed[who] and #reply < 3 * number then
      listed[who] = true
      reply[#reply + 1] = who
      reply[#reply + 1] = tostring(scoreOf(caller .. who))
      reply[#reply + 1] = blockedFor(who)
    end
  end
end
return reply
`;

/** Scores and blocks in Redis, by the server's clock. They are gone when it loses its memory. */
export function redisAbuseStore(
  client: RedisClient,
  { prefix = '{svc:abuse}:' }: RedisAbuseStoreOptions = {},
): AbuseStore {
  const run = createScript(client, script);
  const act = (name: string, caller: string, number: number, halfLifeMs: number) =>
    run(3, [...keysOf(caller), name, caller, number, halfLifeMs]);
  const keysOf = (caller: string) => [
    `${prefix}blocked`,
    `${prefix}score:${caller}`,
    `${prefix}scored`,
  ];
  const toState = ([score, blockedForMs]: unknown[]): AbuseState => ({
    score: Number(score),
    blockedForMs: Number(blockedForMs),
  });
  return {
    isLocal: false,
    add: async (caller, points, halfLifeMs) =>
      toState((await act('add', caller, points, halfLifeMs)) as unknown[]),
    read: async (caller, halfLifeMs) =>
      toState((await act('read', caller, 0, halfLifeMs)) as unknown[]),
    block: async (caller, forMs) => (await act('block', caller, Math.ceil(forMs), 1)) === 1,
    unblock: async (caller) => (await act('unblock', caller, 0, 1)) === 1,
    async list(halfLifeMs, limit) {
      // What the score keys begin with stands where the caller does otherwise.
      const found = (await run(3, [
        ...keysOf(''),
        'list',
        `${prefix}score:`,
        limit,
        halfLifeMs,
      ])) as unknown[];
      return Array.from({ length: found.length / 3 }, (_, i) => ({
        caller: String(found[i * 3]),
        ...toState(found.slice(i * 3 + 1, i * 3 + 3)),
      }));
    },
  };
}
