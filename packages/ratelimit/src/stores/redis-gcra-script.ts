/**
 * `gcra` by itself, the way of nearly every check, with as little as can be sent and computed here: ARGV[1] is a JSON
 * array of quota, cost × window and capacity × window (0 or 1: shadow) for each key. Answers the level that each key
 * had before; the client knows the rest, by the same whole numbers. (`consumeScript` does the same in twice the time.)
 */
export const gcraScript = `
local call, unpack_, pack = redis.call, struct.unpack, struct.pack
local time = call('TIME')
local now = time[1] * 1000 + (time[2] - time[2] % 1000) / 1000
local claims, levels, pass = cjson.decode(ARGV[1]), {}, true
local n = #KEYS
local stored = n == 1 and {call('GET', KEYS[1])} or call('MGET', unpack(KEYS))
for i = 1, n do
  local raw, level, a = stored[i], 0, i * 4
  if raw then
    local was, at = unpack_('dd', raw)
    level = was
    if now > at then level = was - (now - at) * claims[a - 3] end
    if level < 0 then level = 0 end
  end
  levels[i] = level
  if level + claims[a - 2] > claims[a - 1] and claims[a] == 0 then pass = false end
end
if pass then
  for i = 1, n do
    local a = i * 4
    local cost = claims[a - 2]
    local level = levels[i] + cost
    if cost > 0 and level <= claims[a - 1] then
      local ttl = level / claims[a - 3]
      call('SET', KEYS[i], pack('dd', level, now), 'PX', ttl - ttl % 1 + 1)
    end
  end
end
return levels
`;
