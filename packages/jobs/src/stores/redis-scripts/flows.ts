import { jobsPrelude } from './jobs.ts';

/** Begins to wait for others, as far as there are records of them. Gives whether it waits no longer. */
export const beginToWait = `
local function begin_to_wait(id, after, on_failure, due)
  local key, words, counts, missing = awaited_key(id), {}, {}, nil
  local function add(name, value)
    words[#words + 1] = name
    words[#words + 1] = value
  end
  for _, other in ipairs(after) do
    local f = call('HMGET', job_key(other), 'state', 'result')
    local state = f[1] or 'purged'
    if not f[1] then missing = missing or other
    elseif state ~= 'done' and state ~= 'cancelled' then
      if state ~= 'dead' then state = 'open' end
      call('SADD', followers_key(other), id)
      call('HSET', job_key(other), 'followed', 1)
    elseif f[2] then add('result:' .. other, f[2]) end
    add(other, state)
    counts[state] = (counts[state] or 0) + 1
  end
  for state, count in pairs(counts) do add(state, count) end
  add('after', cjson.encode(after))
  add('else', on_failure)
  add('due', due)
  many('HSET', key, words)
  if not missing then return resolve(id) end
  bury(read(id), 'There was no record any more of the job ' .. missing .. ' that it waits for.')
  return true
end
`;

/** Of a dead letter that is ready again: gives whether it has to wait for others once more. */
export const waitAgain = `
local function waits_again(job)
  if job.followed then tell(job.id, 'open') end
  if not job.waits then return false end
  call('HDEL', awaited_key(job.id), 'due')
  local f = call('HMGET', awaited_key(job.id), 'else', 'open', 'dead')
  return tonumber(f[2] or 0) > 0 or f[1] ~= 'run' and tonumber(f[3] or 0) > 0
end
`;

/** ARGV: the job. Answers what it waits for, names and values in turn. */
export const awaitedScript = `${jobsPrelude}
return call('HGETALL', awaited_key(ARGV[1]))
`;

/** ARGV: the job. Answers how many of those it waits for are open, done, dead, purged and cancelled. */
export const countAwaitedScript = `${jobsPrelude}
return call('HMGET', awaited_key(ARGV[1]), 'open', 'done', 'dead', 'purged', 'cancelled')
`;
