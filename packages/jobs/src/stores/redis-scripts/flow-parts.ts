/** What a job tells when it ends, and what is gone with its record. Part of `jobsPrelude`. */
export const flowEndings = `
local endings, released = {}, false
local function awaited_key(id) return base .. 'awaited:' .. id end
local function followers_key(id) return base .. 'followers:' .. id end
local function has_ended(job, state, result)
  if job.followed then endings[#endings + 1] = {id = job.id, state = state, result = result} end
end
local function forget(job)
  if not job.waits then return end
  local f = call('HMGET', awaited_key(job.id), 'open', 'dead', 'after')
  if tonumber(f[1] or 0) + tonumber(f[2] or 0) > 0 then
    for _, other in ipairs(cjson.decode(f[3])) do call('SREM', followers_key(other), job.id) end
  end
  call('DEL', awaited_key(job.id))
end
-- Tells those who wait for it how it stands; gives them.
local function tell(id, state, result)
  local followers = call('SMEMBERS', followers_key(id))
  for _, follower in ipairs(followers) do
    local key = awaited_key(follower)
    call('HINCRBY', key, call('HGET', key, id), -1)
    call('HINCRBY', key, state, 1)
    call('HSET', key, id, state)
    if result and result ~= '' then call('HSET', key, 'result:' .. id, result) end
  end
  -- Only a dead letter can come back.
  if state ~= 'open' and state ~= 'dead' then call('DEL', followers_key(id)) end
  return followers
end
`;

/** What becomes of those who wait, decided before a flush writes. Part of `jobsPrelude`. */
export const flowVerdicts = `
local function verdict_of(id)
  local f = call('HMGET', awaited_key(id), 'else', 'open', 'dead', 'cancelled', 'purged')
  local on_failure = f[1]
  for i = 2, 5 do f[i] = tonumber(f[i] or 0) end
  if on_failure ~= 'run' and f[4] + f[5] > 0 then return 'fails' end
  if on_failure == 'fail' and f[3] > 0 then return 'fails' end
  return (f[2] > 0 or on_failure == 'wait' and f[3] > 0) and 'waits' or 'runs'
end
local function release(job)
  local due = tonumber(call('HGET', awaited_key(job.id), 'due') or 0)
  released = true
  if due > now then
    call('HSET', job_key(job.id), 'state', 'scheduled', 'runAt', text(due))
    call('ZADD', base .. 'scheduled', due, job.id)
    enter('scheduled', job.task, job.id)
  else
    call('HSET', job_key(job.id), 'state', 'ready')
    make_ready(job)
  end
end
-- Gives whether it waits no longer.
local function resolve(id)
  local verdict = verdict_of(id)
  local job = verdict ~= 'waits' and read(id)
  if not job or job.state ~= 'waiting' then return false end
  leave('waiting', job.task, id)
  if verdict == 'runs' then release(job) else bury(job, 'A job that it waited for did not end well.') end
  return true
end
local function flush()
  while #endings > 0 do
    local some, told, is_told = endings, {}, {}
    endings = {}
    for _, ending in ipairs(some) do
      for _, id in ipairs(tell(ending.id, ending.state, ending.result)) do
        if not is_told[id] then told[#told + 1] = id end
        is_told[id] = true
      end
    end
    table.sort(told)
    for _, id in ipairs(told) do resolve(id) end
  end
  write()
end
`;
