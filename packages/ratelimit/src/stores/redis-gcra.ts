import type { Claim, Outcome } from '../store.ts';
import { createScript, type RedisClient } from './redis-client.ts';

/**
 * `gcra` by itself, the way of nearly every check, for many checks in one call: writing to a socket costs more than
 * deciding. ARGV[1] is a JSON array of quota, cost × window, capacity × window and shadow (0 or 1) for each key;
 * ARGV[2] how many keys each check has. Checks are decided one after the other, each as if alone. Answers the level
 * that each key had before; the client knows the rest, by the same whole numbers.
 */
const gcraScript = `
local call, pack = redis.call, struct.pack
local time = call('TIME')
local now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
local claims, sizes = cjson.decode(ARGV[1]), cjson.decode(ARGV[2])
local stored = #KEYS == 1 and {call('GET', KEYS[1])} or call('MGET', unpack(KEYS))
local level_of, quota_of, before = {}, {}, {}
local first = 1
for s = 1, #sizes do
  local last, pass = first + sizes[s] - 1, true
  for i = first, last do
    local key, a = KEYS[i], i * 4
    local level = level_of[key]
    if not level then
      level = 0
      if stored[i] then
        local was, at = struct.unpack('dd', stored[i])
        level = was
        if now > at then level = was - (now - at) * claims[a - 3] end
        if level < 0 then level = 0 end
      end
      level_of[key] = level
    end
    before[i] = level
    if claims[a] == 0 and level + claims[a - 2] > claims[a - 1] then pass = false end
  end
  if pass then
    for i = first, last do
      local key, a = KEYS[i], i * 4
      local cost = claims[a - 2]
      local level = level_of[key] + cost
      if cost > 0 and level <= claims[a - 1] then
        level_of[key] = level
        quota_of[key] = claims[a - 3]
      end
    end
  end
  first = last + 1
end
for key, quota in pairs(quota_of) do
  call('SET', key, pack('dd', level_of[key], now), 'PX', math.ceil(level_of[key] / quota))
end
return before
`;

/** More would keep other clients of the server waiting, and us idle while it works. */
const mostKeys = 64;

interface Waiting {
  readonly claims: readonly Claim[];
  readonly resolve: (outcomes: readonly Outcome[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** Sends the checks of one turn of the event loop together, or each by itself. */
export function createGcra(client: RedisClient, prefix: string, isBatched: boolean) {
  const run = createScript(client, gcraScript);
  let waiting: Waiting[] = [];

  const send = (batch: readonly Waiting[]) => {
    const keys: string[] = [];
    const numbers: number[] = [];
    const sizes: number[] = [];
    for (const { claims } of batch) {
      sizes.push(claims.length);
      for (const { key, quota, windowMs, capacity, cost, shadow } of claims) {
        keys.push(prefix + key);
        numbers.push(quota, cost * windowMs, capacity * windowMs, shadow ? 1 : 0);
      }
    }
    run(keys.length, [...keys, `[${numbers.join()}]`, `[${sizes.join()}]`]).then(
      (levels) => {
        let from = 0;
        for (const { claims, resolve } of batch) {
          resolve(outcomesOf(claims, levels as number[], from));
          from += claims.length;
        }
      },
      (error: unknown) => {
        for (const { reject } of batch) reject(error);
      },
    );
  };
  const flush = () => {
    let batch: Waiting[] = [];
    let keys = 0;
    for (const each of waiting) {
      if (keys > 0 && keys + each.claims.length > mostKeys) {
        send(batch);
        batch = [];
        keys = 0;
      }
      batch.push(each);
      keys += each.claims.length;
    }
    waiting = [];
    send(batch);
  };

  return (claims: readonly Claim[]): Promise<readonly Outcome[]> =>
    new Promise((resolve, reject) => {
      const each = { claims, resolve, reject };
      if (!isBatched) return send([each]);
      // After whatever else runs now, such as others that were waiting for the same answer.
      if (waiting.push(each) === 1) process.nextTick(flush);
    });
}

/** What the script did with these levels, said again. */
function outcomesOf(claims: readonly Claim[], levels: readonly number[], from: number): Outcome[] {
  let passes = true;
  for (const [i, { cost, capacity, windowMs, shadow }] of claims.entries())
    if (!shadow && (levels[from + i] as number) + (cost - capacity) * windowMs > 0) passes = false;
  return claims.map(({ quota, windowMs, capacity, cost }, i): Outcome => {
    const before = levels[from + i] as number;
    const over = before + (cost - capacity) * windowMs;
    const hasRoom = over <= 0;
    const level = passes && hasRoom ? before + cost * windowMs : before;
    return {
      hasRoom,
      remaining: Math.max(0, capacity - Math.ceil(level / windowMs)),
      retryAfterMs: hasRoom ? 0 : Math.ceil(over / quota),
      resetAfterMs: Math.ceil(level / quota),
    };
  });
}
