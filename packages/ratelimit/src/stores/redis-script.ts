import { slidingParts } from '../store.ts';

/**
 * The meters of `meters.ts` in Lua. A key holds pairs of doubles: (level, at), or for a sliding window
 * (moment, count)… Doubles, because Lua writes large numbers as text with 14 digits.
 *
 * Per key six arguments: algorithm, quota, window in ms, capacity, cost, shadow. Answers four numbers for each.
 */
export const consumeScript = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local floor, ceil, max, min = math.floor, math.ceil, math.max, math.min
local n = #KEYS
local stored = n == 1 and {redis.call('GET', KEYS[1])} or redis.call('MGET', unpack(KEYS))
local reply, kept, pass = {}, {}, true
for i = 1, n do
  local a = i * 6 - 5
  local algorithm, quota, window = ARGV[a], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local capacity, cost = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local raw, over, retry = stored[i], 0, 0
  if algorithm == '0' then
    local level = 0
    if raw then
      local was, at = struct.unpack('dd', raw)
      level = max(0, was - max(0, now - at) * quota)
    end
    over = level + (cost - capacity) * window
    if over > 0 then retry = ceil(over / quota) end
    kept[i] = level
  elseif algorithm == '1' then
    local moments, used = {}, 0
    if raw then
      for p = 1, #raw, 16 do
        local at, count = struct.unpack('dd', raw, p)
        at = min(at, now)
        if at + window > now then
          moments[#moments + 1] = at
          moments[#moments + 1] = count
          used = used + count
        end
      end
    end
    over = used + cost - quota
    local freed, m = 0, 1
    while freed < over and moments[m] do
      freed = freed + moments[m + 1]
      retry = moments[m] + window - now
      m = m + 2
    end
    kept[i] = {moments, used}
  else
    local number, used = floor(now / window), 0
    if raw then
      local was, at = struct.unpack('dd', raw)
      if at >= number then used = was end
    end
    over = used + cost - quota
    if over > 0 then retry = (number + 1) * window - now end
    kept[i] = used
  end
  local r = i * 4
  reply[r - 3] = over <= 0 and 1 or 0
  reply[r - 1] = retry
  if over > 0 and ARGV[a + 5] == '0' then pass = false end
end
for i = 1, n do
  local a, r = i * 6 - 5, i * 4
  local algorithm, quota, window = ARGV[a], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local capacity, cost = tonumber(ARGV[a + 3]), tonumber(ARGV[a + 4])
  local take = pass and reply[r - 3] == 1 and cost > 0
  local value, remaining, reset
  if algorithm == '0' then
    local level = kept[i]
    if take then
      level = level + cost * window
      value = struct.pack('dd', level, now)
    end
    remaining = floor((capacity * window - level) / window)
    reset = ceil(level / quota)
  elseif algorithm == '1' then
    local moments, used = kept[i][1], kept[i][2]
    local size = #moments
    if take then
      local part = ceil(window / ${slidingParts})
      used = used + cost
      if size > 0 and floor(moments[size - 1] / part) == floor(now / part) then
        moments[size - 1] = now
        moments[size] = moments[size] + cost
      else
        moments[size + 1] = now
        moments[size + 2] = cost
        size = size + 2
      end
      local parts = {}
      for m = 1, size, 2 do parts[#parts + 1] = struct.pack('dd', moments[m], moments[m + 1]) end
      value = table.concat(parts)
    end
    remaining = quota - used
    reset = size > 0 and moments[size - 1] + window - now or 0
  else
    local used, number = kept[i], floor(now / window)
    if take then
      used = used + cost
      value = struct.pack('dd', used, number)
    end
    remaining = quota - used
    reset = used > 0 and (number + 1) * window - now or 0
  end
  if take then redis.call('SET', KEYS[i], value, 'PX', max(1, reset)) end
  reply[r - 2] = max(0, remaining)
  reply[r] = reset
end
return reply
`;
