/** KEYS[1] is what all keys begin with: `schedule:NAME`, a hash; `ticks:NAME` by their hour; `tick:NAME:HOUR`, who enqueues it; `schedules`. */
const prelude = `
local call, base = redis.call, KEYS[1]
local function schedule_key(name) return base .. 'schedule:' .. name end
local function ticks_key(name) return base .. 'ticks:' .. name end
`;

/** ARGV: now; then name and pattern of each. */
export const registerScript = `${prelude}
local now = ARGV[1]
for i = 2, #ARGV, 2 do
  local name, pattern = ARGV[i], ARGV[i + 1]
  local was = call('HMGET', schedule_key(name), 'pattern', 'decided')
  if was[1] ~= pattern then
    if not was[2] or tonumber(was[2]) < tonumber(now) then call('HSET', schedule_key(name), 'decided', now) end
    call('HSET', schedule_key(name), 'pattern', pattern)
    call('SADD', base .. 'schedules', name)
  end
end
`;

/** Answers, for each name of ARGV, until when it is decided, its newest tick, and since when it is paused. */
export const readScript = `${prelude}
local reply = {}
for i, name in ipairs(ARGV) do reply[i] = call('HMGET', schedule_key(name), 'decided', 'last', 'paused') end
return reply
`;

/** ARGV: name, hour, who asks, for how long. Answers \`mine\`, \`taken\` while somebody else enqueues it, or \`over\`. */
export const beginScript = `${prelude}
local name, tick, token = ARGV[1], ARGV[2], ARGV[3]
local was = call('HMGET', schedule_key(name), 'decided', 'paused')
if not was[1] or was[2] or tonumber(tick) <= tonumber(was[1]) then return 'over' end
if call('ZSCORE', ticks_key(name), tick) then return 'over' end
if call('SET', base .. 'tick:' .. name .. ':' .. tick, token, 'NX', 'PX', ARGV[4]) then return 'mine' end
return 'taken'
`;

/** ARGV: name, hour, who has it, and what: a number of milliseconds to have it for longer, or 0 to let it go. */
export const holdScript = `${prelude}
local key = base .. 'tick:' .. ARGV[1] .. ':' .. ARGV[2]
if call('GET', key) ~= ARGV[3] then return 0 end
return ARGV[4] == '0' and call('DEL', key) or call('PEXPIRE', key, ARGV[4])
`;

/** ARGV: name, hour, who has it, 1 where all before it are done with, too. */
export const keepScript = `${prelude}
local name, tick, key = ARGV[1], ARGV[2], schedule_key(ARGV[1])
local was = call('HMGET', key, 'decided', 'last')
call('ZADD', ticks_key(name), tick, tick)
if not was[2] or tonumber(was[2]) < tonumber(tick) then call('HSET', key, 'last', tick) end
if ARGV[4] == '1' and was[1] and tonumber(was[1]) < tonumber(tick) then call('HSET', key, 'decided', tick) end
local holder = base .. 'tick:' .. name .. ':' .. tick
if call('GET', holder) == ARGV[3] then call('DEL', holder) end
`;

/** ARGV: name, now. */
export const pauseScript = `${prelude}
if call('EXISTS', schedule_key(ARGV[1])) == 1 then call('HSETNX', schedule_key(ARGV[1]), 'paused', ARGV[2]) end
`;

/** ARGV: name, now. */
export const resumeScript = `${prelude}
local key = schedule_key(ARGV[1])
if call('HDEL', key, 'paused') == 1 and tonumber(call('HGET', key, 'decided')) < tonumber(ARGV[2]) then
  call('HSET', key, 'decided', ARGV[2])
end
`;

/** ARGV: before. Answers how many ticks it forgot. */
export const pruneScript = `${prelude}
local count = 0
for _, name in ipairs(call('SMEMBERS', base .. 'schedules')) do
  local decided = call('HGET', schedule_key(name), 'decided')
  local until_ms = tonumber(decided) < tonumber(ARGV[1]) and decided or '(' .. ARGV[1]
  count = count + call('ZREMRANGEBYSCORE', ticks_key(name), '-inf', until_ms)
end
return count
`;
